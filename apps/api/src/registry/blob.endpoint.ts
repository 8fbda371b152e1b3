import { Inject, Injectable } from '@nestjs/common';
import type { BlobStore, Range } from '../blobs/blob-store.ts';
import { rawAnswer } from '../http/raw-answer.ts';
import { ImageStore } from '../images/image.store.ts';
import { BLOB_STORE } from '../platform.module.ts';
import type { Exchange } from './exchange.ts';
import { OciError } from './oci-error.ts';
import { RegistryAccess } from './registry-access.ts';

interface Target {
  name: string;
  digest: string;
}

/** `/v2/<name>/blobs/<digest>`. @see OCI distribution-spec, "Pulling blobs" */
@Injectable()
export class BlobEndpoint {
  constructor(
    @Inject(RegistryAccess) private readonly access: RegistryAccess,
    @Inject(ImageStore) private readonly images: ImageStore,
    @Inject(BLOB_STORE) private readonly blobs: BlobStore,
  ) {}

  async head(exchange: Exchange, { name, digest }: Target): Promise<void> {
    const size = await this.#sizeOf(exchange, name, digest);
    exchange.reply.headers({ ...headersOf(digest), 'content-length': size }).send();
  }

  async get(exchange: Exchange, { name, digest }: Target): Promise<void> {
    const { request, reply } = exchange;
    const size = await this.#sizeOf(exchange, name, digest);
    reply.headers(headersOf(digest));
    const range = rangeOf(request.headers.range, size);
    if (range === null) reply.header('content-length', size);
    else {
      reply.code(206).headers({
        'content-length': range.last - range.first + 1,
        'content-range': `bytes ${range.first}-${range.last}/${size}`,
      });
    }
    await this.blobs.send(digest, () => rawAnswer(reply), range ?? { first: 0, last: size - 1 });
  }

  async delete(exchange: Exchange, { name, digest }: Target): Promise<void> {
    const repository = await this.access.find(exchange, name, 'push');
    const outcome = await this.images.unlinkBlob(repository, digest);
    if (outcome === 'absent') throw unknown(name, digest);
    if (outcome === 'in-use') {
      throw new OciError('DENIED', `${digest} is part of an image in ${name}.`, { status: 409 });
    }
    exchange.reply.code(202).send();
  }

  async #sizeOf(exchange: Exchange, name: string, digest: string): Promise<number> {
    const repository = await this.access.find(exchange, name, 'pull');
    const size = await this.images.blobSize(repository, digest);
    if (size === null) throw unknown(name, digest);
    return size;
  }
}

function headersOf(digest: string): Record<string, string> {
  return {
    'docker-content-digest': digest,
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
    etag: `"${digest}"`,
    // whoever may read it now may not be allowed to later
    'cache-control': 'private, max-age=31536000',
  };
}

function unknown(name: string, digest: string): OciError {
  return new OciError('BLOB_UNKNOWN', `${name} has no blob ${digest}.`);
}

/**
 * One range of bytes; null: the whole, as for a header that makes no sense.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-14.2
 */
export function rangeOf(header: string | undefined, size: number): Range | null {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (from === '' && to === '') return null;
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (from !== '' && to !== '' && Number(to) < Number(from)) return null;
  if (first < size && !(from === '' && Number(to) === 0)) return { first, last };
  throw new OciError('SIZE_INVALID', `The blob has ${size} bytes.`, {
    status: 416,
    headers: { 'content-range': `bytes */${size}` },
  });
}
