import { createHash, randomBytes } from 'node:crypto';

const RANDOM_BYTES = 32;

/** 256 random bits as 43 characters that may stand in headers and URLs. */
export function newToken(): string {
  return randomBytes(RANDOM_BYTES).toString('base64url');
}

/** What is kept of a key or a token. SHA-256: with 256 random bits in it, it needs no slow hash. */
export function hashOfToken(token: string): Buffer<ArrayBuffer> {
  return createHash('sha256').update(token).digest();
}

const KEY_BEGINS = 'slp_';

/** An API key: to be told from other secrets by people, and by what looks for secrets in code. */
export function newKey(): string {
  return `${KEY_BEGINS}${newToken()}`;
}

export function isKey(secret: string): boolean {
  return secret.startsWith(KEY_BEGINS);
}

/** What of a key is shown, to recognize it in a list. */
export function prefixOf(key: string): string {
  return key.slice(0, KEY_BEGINS.length + 4);
}
