import { Inject, Injectable } from '@nestjs/common';
import type { Notifications } from '@slipway/db';
import type { Logger } from '@slipway/log';
import { Loop } from '../loop.ts';
import { LOGGER, NOTIFICATIONS } from '../platform.module.ts';
import { StoredStore } from './stored.store.ts';

const EVERY_MS = 15_000;
/** It looks at all images that there are: it may take so much of the time. */
const SHARE = 0.02;
/** By then the transactions that link and unlink what is counted have ended. */
const SETTLED_MS = 10_000;

/** Counts what images hold. Several replicas may do so side by side. */
@Injectable()
export class StoredMeter {
  readonly loop: Loop;

  constructor(
    @Inject(StoredStore) private readonly stored: StoredStore,
    @Inject(NOTIFICATIONS) notifications: Notifications,
    @Inject(LOGGER) log: Logger,
  ) {
    this.loop = new Loop(notifications, log, {
      ...{ channels: [], failure: 'what images hold cannot be counted' },
      work: () => this.#count(),
    });
  }

  async #count(): Promise<number> {
    const begunMs = performance.now();
    await this.stored.count(new Date(Date.now() - SETTLED_MS));
    return Math.max(EVERY_MS, (performance.now() - begunMs) / SHARE);
  }
}
