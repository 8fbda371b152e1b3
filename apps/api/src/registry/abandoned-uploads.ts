import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '@slipway/log';
import { persistently, Repeater } from '@slipway/process';
import type { BlobStore } from '../blobs/blob-store.ts';
import { BLOB_STORE, LOGGER } from '../platform.module.ts';

/** A client that comes back this late begins anew. */
const ABANDONED_AFTER_MS = 24 * 60 * 60_000;
const EVERY_MS = 60 * 60_000;

/** Clears uploads that nobody goes on with, of build contexts too: their client or we were killed. */
@Injectable()
export class AbandonedUploads {
  readonly #repeater: Repeater;

  constructor(
    @Inject(LOGGER) private readonly log: Logger,
    @Inject(BLOB_STORE) private readonly blobs: BlobStore,
  ) {
    this.#repeater = new Repeater(
      persistently(
        () => this.#clear(),
        (err, retryMs) => log.warn({ err, retryMs }, 'abandoned uploads were not cleared'),
      ),
    );
  }

  start(): void {
    this.#repeater.soon();
  }

  close(): Promise<void> {
    return this.#repeater.close();
  }

  async #clear(): Promise<number> {
    const since = new Date(Date.now() - ABANDONED_AFTER_MS);
    const cancelled = await this.blobs.cancelIdle(since);
    if (cancelled > 0) this.log.info({ cancelled }, 'cleared abandoned uploads');
    return EVERY_MS;
  }
}
