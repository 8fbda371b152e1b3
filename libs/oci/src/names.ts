import { isDigest } from './digest.ts';

/** @see OCI distribution-spec, "Pulling manifests": <name> and <reference as a tag> */
const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const MAX_NAME_LENGTH = 255;

/** Lower-case path components such as `web` or `team/web-api`. */
export function isRepositoryName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && REPOSITORY.test(text);
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** A repository's name with the tag or the digest of one of its images. */
export interface ImageReference {
  name: string;
  /** null: a digest says which */
  tag: string | null;
  digest: string | null;
}

/**
 * `name`, `name:tag`, `name@digest`, `name:tag@digest` (the digest decides); without either the tag is `latest`.
 * @returns null when it is none of these
 */
export function parseImageReference(text: string): ImageReference | null {
  const [named = '', digest = null, ...more] = text.split('@');
  if (more.length > 0 || (digest !== null && !isDigest(digest))) return null;
  const colon = named.lastIndexOf(':');
  // a colon before a slash is a host's port, which no name of ours has
  const name = colon === -1 ? named : named.slice(0, colon);
  const tag = colon === -1 ? null : named.slice(colon + 1);
  if (!isRepositoryName(name) || (tag !== null && !isTag(tag))) return null;
  return { name, tag: tag ?? (digest === null ? 'latest' : null), digest };
}
