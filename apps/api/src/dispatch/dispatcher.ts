import { Inject, Injectable } from '@nestjs/common';
import type { Notifications } from '@slipway/db';
import type { Logger } from '@slipway/log';
import { persistently, Repeater } from '@slipway/process';
import type { Queues } from '@slipway/queue';
import { LOGGER, NOTIFICATIONS, QUEUES } from '../platform.module.ts';
import { OutboxStore } from './outbox.store.ts';

/** Puts what is in the outbox on its queues, as soon as it is committed. Several replicas share the work. */
@Injectable()
export class Dispatcher {
  readonly #repeater = new Repeater(
    persistently(
      () => this.#run(),
      (err, retryMs) => this.log.warn({ err, retryMs }, 'commands cannot be dispatched'),
    ),
  );
  #stopListening = (): void => {};

  constructor(
    @Inject(OutboxStore) private readonly outbox: OutboxStore,
    @Inject(QUEUES) private readonly queues: Queues,
    @Inject(NOTIFICATIONS) private readonly notifications: Notifications,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  start(): void {
    this.#stopListening = this.notifications.on('outbox', () => this.#repeater.soon());
  }

  close(): Promise<void> {
    this.#stopListening();
    return this.#repeater.close();
  }

  async #run(): Promise<null> {
    while ((await this.outbox.move((queue, commands) => this.queues.send(queue, commands))) > 0);
    return null;
  }
}
