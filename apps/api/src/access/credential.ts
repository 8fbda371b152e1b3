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
