import { isDigest } from './digest.ts';
import { isRepositoryName, isTag } from './names.ts';

/** An image as people write it: `node`, `web:v2`, `local/default/web@sha256:…`, `registry:5000/web`. */
export interface ImageReference {
  /** host and maybe port, as Docker tells it from a name: it has a dot or a colon, or is `localhost` */
  registry: string | null;
  repository: string;
  /** the digest when there is one, else the tag; `latest` when there is neither */
  reference: string;
}

/** A domain name, an IPv4 address or an IPv6 one in brackets, maybe with a port. */
const REGISTRY =
  /^(?:[a-z\d](?:[a-z\d-]*[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]*[a-z\d])?)*|\[[a-f\d:]+\])(?::\d+)?$/i;

/**
 * @returns null when it is not one
 * @see https://github.com/distribution/reference, "Grammar"
 */
export function parseImageReference(text: string): ImageReference | null {
  const [rest = '', digest, ...more] = text.split('@');
  if (more.length > 0 || (digest !== undefined && !isDigest(digest))) return null;
  const [first = '', ...others] = rest.split('/');
  const hasRegistry = others.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  if (hasRegistry && !REGISTRY.test(first)) return null;
  const path = hasRegistry ? others.join('/') : rest;
  const colon = path.lastIndexOf(':');
  const repository = colon === -1 ? path : path.slice(0, colon);
  const tag = colon === -1 ? undefined : path.slice(colon + 1);
  if (!isRepositoryName(repository) || (tag !== undefined && !isTag(tag))) return null;
  return {
    registry: hasRegistry ? first : null,
    repository,
    reference: digest ?? tag ?? 'latest',
  };
}
