import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import { newId } from '@slipway/db';
import type { ProjectScope } from '../access/scope.store.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { BLOB_STORE } from '../platform.module.ts';
import { type ContextRow, ContextStore } from './context.store.ts';

const MAX_GIB = 1;
const MAX_BYTES = MAX_GIB * 1024 ** 3;
/** A client that sends nothing for so long is gone. */
const IDLE_MS = 120_000;

/** Takes the files that images are built of. Nobody looks into them here. */
@Injectable()
export class ContextService {
  constructor(
    @Inject(ContextStore) private readonly contexts: ContextStore,
    @Inject(BLOB_STORE) private readonly blobs: BlobStore,
  ) {}

  /** @throws AppError `payload-too-large`, `malformed-request` when it is empty or breaks off */
  async receive(scope: ProjectScope, request: IncomingMessage): Promise<ContextRow> {
    if (Number(request.headers['content-length'] ?? 0) > MAX_BYTES) throw tooLarge();
    const upload = newId('upl');
    await this.blobs.open(upload);
    request.setTimeout(IDLE_MS, () => request.destroy());
    try {
      const sizeBytes = await this.blobs.append(upload, 0, limited(request));
      if (sizeBytes === 0)
        throw new AppError('malformed-request', 'The body is empty: send a tar.');
      return await this.contexts.create(scope, await this.blobs.finish(upload));
    } catch (error) {
      await this.blobs.cancel(upload);
      if (!request.readableAborted) throw error;
      throw new AppError('malformed-request', 'The body broke off.', { cause: error });
    } finally {
      request.setTimeout(0);
    }
  }
}

/** Not one that ends the request when it throws: the answer goes the same way. */
async function* limited(request: IncomingMessage): AsyncGenerator<Buffer> {
  let sizeBytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_BYTES) throw tooLarge();
    yield chunk;
  }
}

function tooLarge(): AppError {
  return new AppError('payload-too-large', `A build context may have ${MAX_GIB} GiB at most.`);
}
