import { isDigest, isRepositoryName, isTag } from '@slipway/oci';
import type { Operation } from '../access/call.ts';
import { OciError } from './oci-error.ts';

/** What a path of the registry stands for. @see OCI distribution-spec, "Endpoints" */
export type Endpoint =
  | { kind: 'base' }
  | { kind: 'token' }
  | { kind: 'blob'; name: string; digest: string }
  | { kind: 'uploads'; name: string }
  | { kind: 'upload'; name: string; id: string }
  /** `reference`: a tag or a digest */
  | { kind: 'manifest'; name: string; reference: string }
  | { kind: 'tags'; name: string };

/** @param path decoded, without the query. @returns null when nothing is there. @throws OciError */
export function endpointOf(path: string): Endpoint | null {
  if (path === '/v2' || path === '/v2/') return { kind: 'base' };
  if (path === '/token') return { kind: 'token' };
  const rest = /^\/v2\/(.+)$/.exec(path)?.[1];
  if (rest === undefined) return null;
  // A name may hold slashes, and even such words as `blobs`: the last match is the endpoint's.
  const upload = /^(.+)\/blobs\/uploads\/(\w*)$/.exec(rest);
  if (upload?.[1] !== undefined) {
    const name = sound(upload[1]);
    return upload[2] ? { kind: 'upload', name, id: upload[2] } : { kind: 'uploads', name };
  }
  const tags = /^(.+)\/tags\/list$/.exec(rest)?.[1];
  if (tags !== undefined) return { kind: 'tags', name: sound(tags) };
  const named = /^(.+)\/(blobs|manifests)\/([^/]+)$/.exec(rest);
  const [, name, what, reference] = named ?? [];
  if (name === undefined || reference === undefined) return null;
  if (what === 'blobs') {
    if (!isDigest(reference)) {
      throw new OciError('DIGEST_INVALID', `${reference} is not sha256:<64 hexadecimal digits>.`);
    }
    return { kind: 'blob', name: sound(name), digest: reference };
  }
  if (!isDigest(reference) && !isTag(reference)) {
    throw new OciError('MANIFEST_INVALID', `${reference} is neither a tag nor a sha256: digest.`);
  }
  return { kind: 'manifest', name: sound(name), reference };
}

/** As docs/audit.md has it. @param endpoint of a repository */
export function operationOf(
  method: string,
  endpoint: Extract<Endpoint, { name: string }>,
): Operation {
  const { kind, name } = endpoint;
  const target = { type: 'repository', name };
  return { name: nameOf(method, kind), isChange: !isRead(method), isOfAccount: false, target };
}

function nameOf(method: string, kind: Endpoint['kind']): string {
  const what = kind === 'manifest' ? 'Manifest' : 'Blob';
  if (isRead(method)) return `pull${what}`;
  return method === 'DELETE' ? `delete${what}` : `push${what}`;
}

export function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** A request's path without its query and its percent signs. @throws OciError */
export function decoded(url: string): string {
  try {
    return decodeURIComponent(url.split('?', 1)[0] ?? '');
  } catch {
    throw new OciError('NAME_INVALID', 'The path is not well formed.');
  }
}

function sound(name: string): string {
  if (isRepositoryName(name)) return name;
  throw new OciError(
    'NAME_INVALID',
    'A repository is named <organization>/<project>/<name>, in lower-case letters and digits with single separators.',
  );
}
