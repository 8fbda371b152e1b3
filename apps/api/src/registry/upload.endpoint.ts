import { Inject, Injectable } from '@nestjs/common';
import { isDigest } from '@slipway/oci';
import { DigestMismatch, WrongOffset } from '../blobs/blob-store.ts';
import { ImageStore, type Repository } from '../images/image.store.ts';
import type { Exchange } from './exchange.ts';
import { OciError } from './oci-error.ts';
import { RegistryAccess } from './registry-access.ts';
import { Uploads } from './uploads.ts';

interface Target {
  name: string;
  id: string;
}

interface Upload {
  repository: Repository;
  /** so far */
  sizeBytes: number;
}

/** `/v2/<name>/blobs/uploads/`. @see OCI distribution-spec, "Pushing blobs" */
@Injectable()
export class UploadEndpoint {
  constructor(
    @Inject(RegistryAccess) private readonly access: RegistryAccess,
    @Inject(ImageStore) private readonly images: ImageStore,
    @Inject(Uploads) private readonly uploads: Uploads,
  ) {}

  /** Opens an upload; with `digest` takes the whole blob, with `mount` another repository's. */
  async open(exchange: Exchange, { name }: { name: string }): Promise<void> {
    const { query, reply } = exchange;
    const repository = await this.access.findOrMake(exchange, name);
    const mount = query.get('mount');
    if (mount !== null && (await this.#mount(exchange, repository, mount))) {
      created(reply, name, mount);
      return;
    }
    const id = await this.uploads.open(repository);
    if (query.has('digest')) {
      try {
        await this.#complete(exchange, { repository, sizeBytes: 0 }, { name, id });
      } catch (error) {
        await this.uploads.cancel(repository, id); // nobody was told of it
        throw error;
      }
      return;
    }
    reply.code(202).headers(progress({ name, id }, 0)).send();
  }

  async status(exchange: Exchange, target: Target): Promise<void> {
    const { sizeBytes } = await this.#find(exchange, target);
    exchange.reply.code(204).headers(progress(target, sizeBytes)).send();
  }

  /** A piece: where the upload stands, or at the `Content-Range` that must say the same. */
  async append(exchange: Exchange, target: Target): Promise<void> {
    const upload = await this.#find(exchange, target);
    const size = await this.#append(exchange, upload, target);
    exchange.reply.code(202).headers(progress(target, size)).send();
  }

  /** The last piece, which may be empty, and the digest of the whole. */
  async finish(exchange: Exchange, target: Target): Promise<void> {
    await this.#complete(exchange, await this.#find(exchange, target), target);
  }

  async cancel(exchange: Exchange, target: Target): Promise<void> {
    const { repository } = await this.#find(exchange, target);
    try {
      await this.uploads.cancel(repository, target.id);
    } catch (error) {
      throw asOciError(error, target);
    }
    exchange.reply.code(204).send();
  }

  async #complete(exchange: Exchange, upload: Upload, target: Target): Promise<void> {
    const digest = exchange.query.get('digest') ?? '';
    if (!isDigest(digest)) {
      throw new OciError('DIGEST_INVALID', 'Say ?digest=sha256:<64 hexadecimal digits>.');
    }
    await this.#append(exchange, upload, target);
    try {
      await this.uploads.finish(upload.repository, target.id, digest);
    } catch (error) {
      if (error instanceof DigestMismatch) throw new OciError('DIGEST_INVALID', error.message);
      throw asOciError(error, target);
    }
    created(exchange.reply, target.name, digest);
  }

  async #append(
    { request }: Exchange,
    { repository, sizeBytes }: Upload,
    target: Target,
  ): Promise<number> {
    const range = /^(?:bytes )?(\d{1,15})-(\d{1,15})/.exec(request.headers['content-range'] ?? '');
    const offset = range === null ? sizeBytes : Number(range[1]);
    try {
      const piece = { offset, request: request.raw };
      return await this.uploads.append(repository, target.id, piece);
    } catch (error) {
      throw asOciError(error, target);
    }
  }

  async #find(exchange: Exchange, { name, id }: Target): Promise<Upload> {
    const repository = await this.access.find(exchange, name, 'push');
    const sizeBytes = await this.uploads.sizeOf(repository, id);
    if (sizeBytes === null) throw unknown(id);
    return { repository, sizeBytes };
  }

  /** Only from where the caller could pull it; else it is uploaded like any other. */
  async #mount(exchange: Exchange, repository: Repository, digest: string): Promise<boolean> {
    const from = exchange.query.get('from');
    if (from === null || !isDigest(digest)) return false;
    try {
      const source = await this.access.find(exchange, from, 'pull');
      const sizeBytes = await this.images.blobSize(source, digest);
      if (sizeBytes === null) return false;
      await this.images.linkBlob(repository, { digest, sizeBytes }, null);
      return true;
    } catch (error) {
      if (error instanceof OciError) return false;
      throw error;
    }
  }
}

function created(reply: Exchange['reply'], name: string, digest: string): void {
  reply
    .code(201)
    .headers({ location: `/v2/${name}/blobs/${digest}`, 'docker-content-digest': digest })
    .send();
}

/** Where to go on, and what has arrived: `0-<last byte>`. */
function progress({ name, id }: Target, sizeBytes: number): Record<string, string> {
  return {
    location: `/v2/${name}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, sizeBytes - 1)}`,
    'docker-upload-uuid': id,
  };
}

function unknown(id: string): OciError {
  return new OciError('BLOB_UPLOAD_UNKNOWN', `There is no upload ${id}.`);
}

function asOciError(error: unknown, target: Target): unknown {
  if (!(error instanceof WrongOffset)) return error;
  return new OciError('BLOB_UPLOAD_INVALID', error.message, {
    status: 416,
    headers: progress(target, error.sizeBytes),
  });
}
