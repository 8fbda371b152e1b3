import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { type Descriptor, MANIFEST_TYPES } from './manifest.ts';

/** A registry's refusal, with its status and what it says. */
export class RegistryError extends Error {
  readonly status: number;

  constructor(what: string, status: number, said: string) {
    super(`${what}: the registry answers ${status}${said === '' ? '' : ` (${said})`}`);
    this.name = 'RegistryError';
    this.status = status;
  }
}

export interface FetchedManifest {
  mediaType: string;
  digest: string;
  content: Uint8Array;
}

/** Pushes to and pulls from one registry. @see OCI distribution-spec 1.1 */
export class RegistryClient {
  readonly #url: string;
  readonly #authorization: string;

  /**
   * @param url base URL without a trailing slash: `http://127.0.0.1:7750`
   * @param authorization the header's value
   */
  constructor(url: string, authorization: string) {
    this.#url = url;
    this.#authorization = authorization;
  }

  /** null when there is none. @param reference tag or digest */
  async manifest(name: string, reference: string): Promise<FetchedManifest | null> {
    const answer = await this.#call('GET', `/v2/${name}/manifests/${reference}`, {
      headers: { accept: MANIFEST_TYPES.join(', ') },
    });
    if (answer.status === 404) return null;
    await requireOk(answer, `${name}:${reference}`);
    return {
      mediaType: answer.headers.get('content-type') ?? '',
      digest: answer.headers.get('docker-content-digest') ?? '',
      content: new Uint8Array(await answer.arrayBuffer()),
    };
  }

  /** Its bytes, not checked against the digest. */
  async blob(name: string, digest: string, signal?: AbortSignal): Promise<Readable> {
    const answer = await this.#call('GET', `/v2/${name}/blobs/${digest}`, { signal });
    await requireOk(answer, `${name}@${digest}`);
    return answer.body === null ? Readable.from([]) : Readable.fromWeb(answer.body);
  }

  async hasBlob(name: string, digest: string): Promise<boolean> {
    const answer = await this.#call('HEAD', `/v2/${name}/blobs/${digest}`);
    if (answer.status === 404) return false;
    await requireOk(answer, `${name}@${digest}`);
    return true;
  }

  /** Uploads what the repository does not have yet. @param source bytes, or the path of a file */
  async pushBlob(name: string, blob: Descriptor, source: Uint8Array | string): Promise<void> {
    if (await this.hasBlob(name, blob.digest)) return;
    const opened = await this.#call('POST', `/v2/${name}/blobs/uploads/`);
    await requireOk(opened, `an upload to ${name}`);
    const location = new URL(opened.headers.get('location') ?? '', this.#url);
    location.searchParams.set('digest', blob.digest);
    const body = typeof source === 'string' ? createReadStream(source) : source;
    const put = await this.#call('PUT', `${location.pathname}${location.search}`, {
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(blob.size),
      },
      body,
    });
    await requireOk(put, `${name}@${blob.digest}`);
  }

  /** Takes over what another repository of this registry has. */
  async mountBlob(name: string, digest: string, from: string): Promise<void> {
    const query = new URLSearchParams({ mount: digest, from });
    const answer = await this.#call('POST', `/v2/${name}/blobs/uploads/?${query}`);
    if (answer.status === 201) return;
    throw new RegistryError(`${name}@${digest} from ${from}`, answer.status, 'not mounted');
  }

  async pushManifest(
    name: string,
    reference: string,
    manifest: { mediaType: string; content: string },
  ): Promise<void> {
    const answer = await this.#call('PUT', `/v2/${name}/manifests/${reference}`, {
      headers: { 'content-type': manifest.mediaType },
      body: manifest.content,
    });
    await requireOk(answer, `${name}:${reference}`);
  }

  #call(
    method: string,
    path: string,
    options: {
      headers?: Record<string, string>;
      body?: Readable | Uint8Array | string;
      signal?: AbortSignal | undefined;
    } = {},
  ): Promise<Response> {
    return fetch(`${this.#url}${path}`, {
      method,
      headers: { authorization: this.#authorization, ...options.headers },
      ...(options.body === undefined
        ? {}
        : { body: options.body as RequestInit['body'] & {}, duplex: 'half' }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  }
}

async function requireOk(answer: Response, what: string): Promise<void> {
  if (answer.ok) return;
  const said = await answer.text().catch(() => '');
  throw new RegistryError(what, answer.status, said.slice(0, 500).trim());
}
