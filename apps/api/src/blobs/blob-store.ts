import type { Readable } from 'node:stream';

/** The digest did not come out as it was said to. */
export class DigestMismatch extends Error {
  readonly actual: string;

  constructor(expected: string, actual: string) {
    super(`The bytes have the digest ${actual}, not ${expected}.`);
    this.name = 'DigestMismatch';
    this.actual = actual;
  }
}

/** Bytes were sent for another place than the one where the upload stands. */
export class WrongOffset extends Error {
  readonly sizeBytes: number;

  constructor(sizeBytes: number) {
    super(`The upload stands at ${sizeBytes} bytes.`);
    this.name = 'WrongOffset';
    this.sizeBytes = sizeBytes;
  }
}

/**
 * Bytes by their SHA-256 (`sha256:<hex>`): image layers and configurations, build contexts,
 * archived logs. Who may read them is not its business. Memory stays flat at any size.
 *
 * An upload is made of any number of pieces, one after the other; nothing of it can be read before
 * `finish`, and a piece whose source breaks off leaves the upload as it was before.
 */
export interface BlobStore {
  /** bytes; null when there is none */
  size(digest: string): Promise<number | null>;
  /** @param range first and last byte; all when left out. @throws when there is none */
  read(digest: string, range?: { first: number; last: number }): Promise<Readable>;
  delete(digest: string): Promise<void>;

  /** @param id of the caller's choosing: letters, digits, `_` */
  open(id: string): Promise<void>;
  /** bytes so far; null when there is no such upload */
  uploaded(id: string): Promise<number | null>;
  /** @returns bytes so far. @throws WrongOffset also while another piece is being appended */
  append(id: string, offset: number, source: Readable): Promise<number>;
  /** @throws DigestMismatch, and the upload is gone then */
  finish(id: string, expected?: string): Promise<{ digest: string; sizeBytes: number }>;
  /** no harm when there is none */
  cancel(id: string): Promise<void>;
}
