import { createHash } from 'node:crypto';

/** The one algorithm that images are made with. @see OCI image-spec, descriptor.md, "Digests" */
const DIGEST = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** `sha256:<hex>` */
export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
