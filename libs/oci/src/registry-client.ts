import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { currentRequestId } from '@slipway/log';
import { type Descriptor, MANIFEST_TYPES } from './manifest.ts';

export interface FetchedManifest {
  mediaType: string;
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
      content: new Uint8Array(await answer.arrayBuffer()),
    };
  }

  /** The bytes as they come. */
  async blob(name: string, digest: string): Promise<AsyncIterable<Uint8Array>> {
    const answer = await this.#call('GET', `/v2/${name}/blobs/${digest}`);
    await requireOk(answer, `${name}@${digest}`);
    if (answer.body === null) throw refusal(`${name}@${digest}`, answer, 'no body');
    return answer.body;
  }

  async #hasBlob(name: string, digest: string): Promise<boolean> {
    const answer = await this.#call('HEAD', `/v2/${name}/blobs/${digest}`);
    if (answer.status === 404) return false;
    await requireOk(answer, `${name}@${digest}`);
    return true;
  }

  /** Uploads what the repository does not have yet. @param source bytes, or the path of a file */
  async pushBlob(name: string, blob: Descriptor, source: Uint8Array | string): Promise<void> {
    if (await this.#hasBlob(name, blob.digest)) return;
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
    throw refusal(`${name}@${digest} from ${from}`, answer, 'not mounted');
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
    } = {},
  ): Promise<Response> {
    const requestId = currentRequestId();
    return fetch(`${this.#url}${path}`, {
      method,
      headers: {
        authorization: this.#authorization,
        ...(requestId === null ? {} : { 'x-request-id': requestId }),
        ...options.headers,
      },
      ...(options.body === undefined
        ? {}
        : { body: options.body as RequestInit['body'] & {}, duplex: 'half' }),
    });
  }
}

async function requireOk(answer: Response, what: string): Promise<void> {
  if (answer.ok) return;
  const said = await answer.text().catch(() => '');
  throw refusal(what, answer, said.slice(0, 500).trim());
}

function refusal(what: string, { status }: Response, said: string): RegistryError {
  const words = said === '' ? '' : ` (${said})`;
  return new RegistryError(`${what}: the registry answers ${status}${words}`, status);
}

/** The registry's refusal. */
export class RegistryError extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.name = 'RegistryError';
    this.status = status;
  }
}
