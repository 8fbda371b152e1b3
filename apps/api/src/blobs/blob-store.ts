import type { Writable } from 'node:stream';

/** The first and the last byte. */
export interface Range {
  first: number;
  last: number;
}

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
  /**
   * Writes it into what `begin` gives once it is there, and ends that: with an error, when it breaks off.
   * @param begin a sink that is done with a chunk when it calls back, as sockets and files are
   * @param range first and last byte; all when left out
   * @throws when there is none; then nothing has begun
   */
  send(digest: string, begin: () => Writable, range?: Range): Promise<void>;
  delete(digest: string): Promise<void>;

  /** @param id of the caller's choosing: letters, digits, `_` */
  open(id: string): Promise<void>;
  /** bytes so far; null when there is no such upload */
  uploaded(id: string): Promise<number | null>;
  /**
   * @param source its chunks are given away: what is written is freed at once
   * @returns bytes so far. @throws WrongOffset, also while another piece is being appended, and when there is no such upload
   */
  append(id: string, offset: number, source: AsyncIterable<Buffer>): Promise<number>;
  /** @throws DigestMismatch, and the upload is gone then; WrongOffset as `append` */
  finish(id: string, expected?: string): Promise<{ digest: string; sizeBytes: number }>;
  /** No harm when there is none. @throws WrongOffset while a piece is being appended */
  cancel(id: string): Promise<void>;
  /** Cancels the uploads to which nothing came since then. @returns how many */
  cancelIdle(since: Date): Promise<number>;
}
