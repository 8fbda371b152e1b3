import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import { type BlobStore, WrongOffset } from '../blobs/blob-store.ts';
import { ImageStore, type Repository } from '../images/image.store.ts';
import { UploadStore } from '../images/upload.store.ts';
import { BLOB_STORE } from '../platform.module.ts';
import { UploadIds } from './upload-ids.ts';

/** A piece that does not say how long it is may be so much longer than there is room for. */
const COUNTED_BYTES = 16 * 1024 * 1024;

/** Blobs on their way into repositories: no more of them, all together, than the quotas let there be. */
@Injectable()
export class Uploads {
  constructor(
    @Inject(UploadIds) private readonly ids: UploadIds,
    @Inject(BLOB_STORE) private readonly blobs: BlobStore,
    @Inject(UploadStore) private readonly sizes: UploadStore,
    @Inject(ImageStore) private readonly images: ImageStore,
  ) {}

  async open(repository: Repository): Promise<string> {
    const id = this.ids.make(repository);
    await this.blobs.open(id);
    return id;
  }

  /** bytes; null when the repository has no such upload */
  async sizeOf(repository: Repository, id: string): Promise<number | null> {
    return this.ids.isOf(repository, id) ? this.blobs.uploaded(id) : null;
  }

  /**
   * @returns bytes so far
   * @throws WrongOffset; AppError `quota-exceeded`, and the upload is gone then
   */
  async append(
    repository: Repository,
    id: string,
    piece: { offset: number; request: IncomingMessage },
  ): Promise<number> {
    try {
      return await this.blobs.append(id, piece.offset, this.#counted(repository, id, piece));
    } catch (error) {
      if (error instanceof AppError && error.code === 'quota-exceeded') {
        await this.blobs.cancel(id).catch(() => {}); // another piece has begun, which counts
      }
      throw error;
    }
  }

  /** @throws WrongOffset, as `append`; DigestMismatch, AppError `quota-exceeded`: the upload is gone then */
  async finish(repository: Repository, id: string, digest: string): Promise<void> {
    try {
      const { sizeBytes } = await this.blobs.finish(id, digest);
      await this.images.linkBlob(repository, { digest, sizeBytes }, id);
    } catch (error) {
      if (!(error instanceof WrongOffset)) await this.sizes.forget(repository, id);
      throw error;
    }
  }

  /** @throws WrongOffset while a piece is being appended */
  async cancel(repository: Repository, id: string): Promise<void> {
    await this.blobs.cancel(id);
    await this.sizes.forget(repository, id);
  }

  /** Those to which nothing came since then. @returns how many */
  async cancelIdle(since: Date): Promise<number> {
    const cancelled = await this.blobs.cancelIdle(since);
    const idle = await this.sizes.idle(since);
    const sizes = await Promise.all(idle.map((id) => this.blobs.uploaded(id)));
    await this.sizes.forgetAll(idle.filter((_, index) => sizes[index] === null));
    return cancelled;
  }

  /** Counts while the blob store has it append nothing else. */
  async *#counted(
    repository: Repository,
    id: string,
    { offset, request }: { offset: number; request: IncomingMessage },
  ): AsyncGenerator<Buffer> {
    let counted = offset;
    let end = offset;
    const count = async (sizeBytes: number): Promise<void> => {
      if (sizeBytes === counted) return;
      counted = sizeBytes;
      await this.sizes.set(repository, id, sizeBytes);
    };
    const declared = Number(request.headers['content-length'] ?? 0);
    await count(Math.min(offset + declared, Number.MAX_SAFE_INTEGER));
    try {
      // left open when it is left: the answer goes the same way
      for await (const chunk of request.iterator({ destroyOnReturn: false })) {
        end += chunk.length; // which is not ours any more after the yield
        yield chunk;
        if (end >= counted + COUNTED_BYTES) await count(end);
      }
      await count(end);
    } catch (error) {
      await this.sizes.shrink(repository, id, offset);
      throw error;
    }
  }
}
