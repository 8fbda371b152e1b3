import { Inject, Injectable } from '@nestjs/common';
import { digestOf, isDigest, type Manifest, parseManifest, referencesOf } from '@slipway/oci';
import { ImageStore, type StoredManifest } from '../images/image.store.ts';
import type { Exchange } from './exchange.ts';
import { OciError } from './oci-error.ts';
import { RegistryAccess } from './registry-access.ts';

/** What Distribution allows, too. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_TAGS = 1000;

interface Target {
  name: string;
  /** a tag or a digest */
  reference: string;
}

/** `/v2/<name>/manifests/<reference>` and `/v2/<name>/tags/list`. */
@Injectable()
export class ManifestEndpoint {
  constructor(
    @Inject(RegistryAccess) private readonly access: RegistryAccess,
    @Inject(ImageStore) private readonly images: ImageStore,
  ) {}

  async head(exchange: Exchange, target: Target): Promise<void> {
    const manifest = await this.#find(exchange, target);
    exchange.reply
      .headers({ ...headersOf(manifest), 'content-length': manifest.content.byteLength })
      .send();
  }

  async get(exchange: Exchange, target: Target): Promise<void> {
    const manifest = await this.#find(exchange, target);
    exchange.reply.headers(headersOf(manifest)).send(manifest.content);
  }

  /** @see OCI distribution-spec, "Pushing Manifests" */
  async put(exchange: Exchange, { name, reference }: Target): Promise<void> {
    const { request, reply } = exchange;
    const repository = await this.access.findOrMake(exchange, name);
    const content = await readAtMost(request.raw, MAX_MANIFEST_BYTES);
    const mediaType = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '';
    const digest = digestOf(content);
    if (isDigest(reference) && reference !== digest) {
      throw new OciError('DIGEST_INVALID', `The manifest has the digest ${digest}.`);
    }
    const manifest = sound(mediaType, content);
    const absent = await this.images.putManifest(
      repository,
      {
        ...{ digest, mediaType, content },
        namedIn: manifest.kind === 'image' ? 'RepositoryBlob' : 'Manifest',
        references: [...new Set(referencesOf(manifest).map((descriptor) => descriptor.digest))],
      },
      isDigest(reference) ? null : reference,
    );
    if (absent.length > 0) {
      throw new OciError('MANIFEST_BLOB_UNKNOWN', `${name} does not have ${absent.join(', ')}.`);
    }
    reply
      .code(201)
      .headers({ location: `/v2/${name}/manifests/${digest}`, 'docker-content-digest': digest })
      .send();
  }

  /** A tag alone, or by its digest the manifest with all its tags. */
  async delete(exchange: Exchange, { name, reference }: Target): Promise<void> {
    const repository = await this.access.find(exchange, name, 'push');
    const outcome = isDigest(reference)
      ? await this.images.deleteManifest(repository, reference)
      : await this.images.deleteTag(repository, reference);
    if (outcome === 'in-use') {
      throw new OciError('DENIED', `An index in ${name} names ${reference}.`, { status: 409 });
    }
    if (outcome === 'absent' || outcome === false) throw unknown(name, reference);
    exchange.reply.code(202).send();
  }

  async tags(exchange: Exchange, { name }: { name: string }): Promise<void> {
    const { reply, query } = exchange;
    const repository = await this.access.find(exchange, name, 'pull');
    const asked = query.get('n') ?? String(MAX_TAGS);
    if (!/^\d{1,9}$/.test(asked))
      throw new OciError('UNSUPPORTED', 'n is a number.', { status: 400 });
    const limit = Math.min(Number(asked), MAX_TAGS);
    const found = await this.images.tags(repository, {
      limit: limit + 1,
      last: query.get('last') ?? '',
    });
    const tags = found.slice(0, limit);
    if (found.length > limit && limit > 0) {
      const next = new URLSearchParams({ n: String(limit), last: tags.at(-1) ?? '' });
      reply.header('link', `</v2/${name}/tags/list?${next}>; rel="next"`);
    }
    reply.send({ name, tags });
  }

  async #find(exchange: Exchange, { name, reference }: Target): Promise<StoredManifest> {
    const repository = await this.access.find(exchange, name, 'pull');
    const manifest = await this.images.manifest(repository, reference);
    if (manifest === null) throw unknown(name, reference);
    return manifest;
  }
}

function headersOf({ digest, mediaType }: StoredManifest): Record<string, string> {
  return { 'docker-content-digest': digest, 'content-type': mediaType, etag: `"${digest}"` };
}

function unknown(name: string, reference: string): OciError {
  return new OciError('MANIFEST_UNKNOWN', `${name} has no ${reference}.`);
}

function sound(mediaType: string, content: Uint8Array): Manifest {
  try {
    return parseManifest(mediaType, content);
  } catch (error) {
    throw new OciError('MANIFEST_INVALID', `Not a manifest: ${(error as Error).message}.`);
  }
}

async function readAtMost(
  source: AsyncIterable<Buffer>,
  maxBytes: number,
): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new OciError('SIZE_INVALID', `A manifest has at most ${maxBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
