import { Inject, Injectable } from '@nestjs/common';
import { isDigest } from '@slipway/oci';
import { type BlobStore, DigestMismatch, WrongOffset } from '../blobs/blob-store.ts';
import { ImageStore, type Repository } from '../images/image.store.ts';
import { BLOB_STORE } from '../platform.module.ts';
import type { Exchange } from './exchange.ts';
import { OciError } from './oci-error.ts';
import { RegistryAccess } from './registry-access.ts';
import { UploadIds } from './upload-ids.ts';

interface Target {
  name: string;
  id: string;
}

/** `/v2/<name>/blobs/uploads/`. @see OCI distribution-spec, "Pushing blobs" */
@Injectable()
export class UploadEndpoint {
  constructor(
    @Inject(RegistryAccess) private readonly access: RegistryAccess,
    @Inject(ImageStore) private readonly images: ImageStore,
    @Inject(UploadIds) private readonly ids: UploadIds,
    @Inject(BLOB_STORE) private readonly blobs: BlobStore,
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
    const id = this.ids.make(repository);
    await this.blobs.open(id);
    if (query.has('digest')) {
      try {
        await this.#complete(exchange, repository, { name, id });
      } catch (error) {
        await this.blobs.cancel(id); // nobody was told of it
        throw error;
      }
      return;
    }
    reply.code(202).headers(progress({ name, id }, 0)).send();
  }

  async status(exchange: Exchange, target: Target): Promise<void> {
    await this.#repositoryOf(exchange, target);
    exchange.reply
      .code(204)
      .headers(progress(target, await this.#uploaded(target)))
      .send();
  }

  /** A piece: where the upload stands, or at the `Content-Range` that must say the same. */
  async append(exchange: Exchange, target: Target): Promise<void> {
    await this.#repositoryOf(exchange, target);
    const size = await this.#append(exchange, target);
    exchange.reply.code(202).headers(progress(target, size)).send();
  }

  /** The last piece, which may be empty, and the digest of the whole. */
  async finish(exchange: Exchange, target: Target): Promise<void> {
    const repository = await this.#repositoryOf(exchange, target);
    await this.#complete(exchange, repository, target);
  }

  async cancel(exchange: Exchange, target: Target): Promise<void> {
    await this.#repositoryOf(exchange, target);
    await this.#uploaded(target);
    await this.blobs.cancel(target.id);
    exchange.reply.code(204).send();
  }

  async #complete(exchange: Exchange, repository: Repository, target: Target): Promise<void> {
    const digest = exchange.query.get('digest') ?? '';
    if (!isDigest(digest)) {
      throw new OciError('DIGEST_INVALID', 'Say ?digest=sha256:<64 hexadecimal digits>.');
    }
    await this.#append(exchange, target);
    try {
      const { sizeBytes } = await this.blobs.finish(target.id, digest);
      await this.images.linkBlob(repository, digest, sizeBytes);
    } catch (error) {
      if (error instanceof DigestMismatch) throw new OciError('DIGEST_INVALID', error.message);
      throw asOciError(error, target);
    }
    created(exchange.reply, target.name, digest);
  }

  async #append({ request }: Exchange, target: Target): Promise<number> {
    const size = await this.#uploaded(target);
    const range = /^(?:bytes )?(\d{1,15})-(\d{1,15})/.exec(request.headers['content-range'] ?? '');
    const offset = range === null ? size : Number(range[1]);
    try {
      return await this.blobs.append(target.id, offset, request.raw);
    } catch (error) {
      throw asOciError(error, target);
    }
  }

  async #uploaded({ id }: Target): Promise<number> {
    const size = await this.blobs.uploaded(id);
    if (size === null) throw unknown(id);
    return size;
  }

  async #repositoryOf(exchange: Exchange, { name, id }: Target): Promise<Repository> {
    const repository = await this.access.find(exchange, name, 'push');
    if (!this.ids.isOf(repository, id)) throw unknown(id);
    return repository;
  }

  /** Only from where the caller could pull it; else it is uploaded like any other. */
  async #mount(exchange: Exchange, repository: Repository, digest: string): Promise<boolean> {
    const from = exchange.query.get('from');
    if (from === null || !isDigest(digest)) return false;
    try {
      const source = await this.access.find(exchange, from, 'pull');
      const size = await this.images.blobSize(source, digest);
      if (size === null) return false;
      await this.images.linkBlob(repository, digest, size);
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
