import { Inject, Injectable } from '@nestjs/common';
import type { Notifications } from '@slipway/db';
import type { Logger } from '@slipway/log';
import { Histogram, type Metrics, SECONDS } from '@slipway/metrics';
import type { Queues } from '@slipway/queue';
import { Loop } from '../loop.ts';
import { LOGGER, METRICS, NOTIFICATIONS, QUEUES } from '../platform.module.ts';
import { OutboxStore, type WaitingCommand } from './outbox.store.ts';

/** Puts what is in the outbox on its queues, as soon as it is committed. Several replicas share the work. */
@Injectable()
export class Dispatcher {
  readonly loop: Loop;
  readonly #waitSeconds: Histogram;

  constructor(
    @Inject(OutboxStore) private readonly outbox: OutboxStore,
    @Inject(QUEUES) private readonly queues: Queues,
    @Inject(NOTIFICATIONS) notifications: Notifications,
    @Inject(METRICS) metrics: Metrics,
    @Inject(LOGGER) private readonly log: Logger,
  ) {
    this.loop = new Loop(notifications, log, {
      ...{ channels: ['outbox'], failure: 'commands cannot be dispatched' },
      work: () => this.#run(),
    });
    this.#waitSeconds = new Histogram({
      name: 'slipway_dispatch_wait_seconds',
      help: 'How long commands were in the outbox before they were on their queue',
      buckets: SECONDS,
      registers: [metrics],
    });
  }

  async #run(): Promise<null> {
    while (await this.outbox.move((queue, waiting) => this.#dispatch(queue, waiting)));
    return null;
  }

  async #dispatch(queue: string, waiting: readonly WaitingCommand[]): Promise<void> {
    await this.queues.send(
      queue,
      waiting.map(({ command }) => command),
    );
    for (const { command, waitedMs } of waiting) {
      this.#waitSeconds.observe(waitedMs / 1_000);
      const { requestId, ...what } = command;
      this.log.info({ requestId, ...what, queue, waitedMs }, 'dispatched');
    }
  }
}
