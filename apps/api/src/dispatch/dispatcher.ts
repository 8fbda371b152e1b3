import { Inject, Injectable } from '@nestjs/common';
import type { Notifications } from '@slipway/db';
import type { Logger } from '@slipway/log';
import type { NodeQueues } from '@slipway/queue';
import { LOGGER, NODE_QUEUES, NOTIFICATIONS } from '../platform.module.ts';
import { OutboxStore } from './outbox.store.ts';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

/** Puts what is in the outbox on the nodes' queues, as soon as it is committed. Several replicas share the work. */
@Injectable()
export class Dispatcher {
  #isWanted = false;
  #underWay: Promise<void> | null = null;
  #retry: NodeJS.Timeout | null = null;
  #failures = 0;
  #stopListening: (() => void) | null = null;

  constructor(
    @Inject(OutboxStore) private readonly outbox: OutboxStore,
    @Inject(NODE_QUEUES) private readonly queues: NodeQueues,
    @Inject(NOTIFICATIONS) private readonly notifications: Notifications,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  start(): void {
    this.#stopListening = this.notifications.on('outbox', () => this.#soon());
  }

  async close(): Promise<void> {
    this.#stopListening?.();
    this.#stopListening = null;
    if (this.#retry !== null) clearTimeout(this.#retry);
    await this.#underWay;
  }

  #soon(): void {
    if (this.#stopListening === null) return;
    this.#isWanted = true;
    this.#underWay ??= this.#run().finally(() => {
      this.#underWay = null;
    });
  }

  async #run(): Promise<void> {
    if (this.#retry !== null) clearTimeout(this.#retry);
    try {
      while (this.#isWanted) {
        this.#isWanted = false;
        while ((await this.outbox.move((node, commands) => this.queues.send(node, commands))) > 0);
      }
      this.#failures = 0;
    } catch (error) {
      const retryMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LAST_RETRY_MS);
      this.#failures++;
      this.log.warn({ err: error, retryMs }, 'commands cannot be dispatched');
      this.#retry = setTimeout(() => this.#soon(), retryMs);
    }
  }
}
