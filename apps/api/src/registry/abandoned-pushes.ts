import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '@slipway/log';
import { persistently, Repeater } from '@slipway/process';
import { ImageStore } from '../images/image.store.ts';
import { LOGGER } from '../platform.module.ts';
import { Uploads } from './uploads.ts';

/** A client that comes back this late begins anew. */
const ABANDONED_AFTER_MS = 24 * 60 * 60_000;
const EVERY_MS = 60 * 60_000;

/**
 * Clears uploads that nobody goes on with, of build contexts too, and blobs of images that never came:
 * their client or we were killed.
 */
@Injectable()
export class AbandonedPushes {
  readonly #repeater: Repeater;

  constructor(
    @Inject(LOGGER) private readonly log: Logger,
    @Inject(Uploads) private readonly uploads: Uploads,
    @Inject(ImageStore) private readonly images: ImageStore,
  ) {
    this.#repeater = new Repeater(
      persistently(
        () => this.#clear(),
        (err, retryMs) => log.warn({ err, retryMs }, 'abandoned pushes were not cleared'),
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
    const cancelled = await this.uploads.cancelIdle(since);
    const unlinked = await this.images.unlinkAbandoned(since);
    if (cancelled + unlinked > 0) {
      this.log.info({ cancelled, unlinked }, 'cleared abandoned pushes');
    }
    return EVERY_MS;
  }
}
