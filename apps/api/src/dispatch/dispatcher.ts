import { Inject, Injectable } from '@nestjs/common';
import type { Notifications } from '@slipway/db';
import type { Logger } from '@slipway/log';
import type { Queues } from '@slipway/queue';
import { Loop } from '../loop.ts';
import { LOGGER, NOTIFICATIONS, QUEUES } from '../platform.module.ts';
import { OutboxStore } from './outbox.store.ts';

/** Puts what is in the outbox on its queues, as soon as it is committed. Several replicas share the work. */
@Injectable()
export class Dispatcher {
  readonly loop: Loop;

  constructor(
    @Inject(OutboxStore) private readonly outbox: OutboxStore,
    @Inject(QUEUES) private readonly queues: Queues,
    @Inject(NOTIFICATIONS) notifications: Notifications,
    @Inject(LOGGER) log: Logger,
  ) {
    this.loop = new Loop(notifications, log, {
      ...{ channels: ['outbox'], failure: 'commands cannot be dispatched' },
      work: () => this.#run(),
    });
  }

  async #run(): Promise<null> {
    while ((await this.outbox.move((queue, commands) => this.queues.send(queue, commands))) > 0);
    return null;
  }
}
