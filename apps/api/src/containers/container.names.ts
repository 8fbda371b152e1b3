import { randomBytes } from 'node:crypto';

/** The container engine's, and Docker's: 64 hexadecimal digits. */
export function newEngineId(): string {
  return randomBytes(32).toString('hex');
}

/** @param base what it is made of. @returns e.g. `busybox-k3x9qa` */
export function madeUpName(base = 'container'): string {
  const random = BigInt(`0x${randomBytes(8).toString('hex')}`)
    .toString(36)
    .padStart(6, '0');
  return `${base.slice(0, 100)}-${random.slice(-6)}`;
}
