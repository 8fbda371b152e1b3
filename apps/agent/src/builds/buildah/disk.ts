import { statfs } from 'node:fs/promises';
import { exec, Repeater } from '@slipway/process';

const LOOK_EVERY_MS = 500;
/** Whose requests are served meanwhile feel it when files are counted. */
const COUNT_EVERY_MS = 10_000;
/** Looking takes at most a fifth of its time. */
const PAUSE_FACTOR = 4;
/** Below that nobody may build: containers need the disk too. */
const MIN_FREE_BYTES = 256 * 1024 ** 2;

/** More was written than may be. */
export class TooMuchWritten extends Error {
  override name = 'TooMuchWritten';
}

/**
 * Ends what fills the disk, which nothing else limits: `exceeded` is aborted then, with the reason.
 * Who writes leaves less free: files are counted when that may be too much by now, and now and then.
 */
export class DiskWatch {
  readonly #foldersOf: () => string[];
  readonly #maxBytes: number;
  readonly #exceeded = new AbortController();
  readonly #repeater = new Repeater(() => this.#look());
  /** at the last count */
  #counted = { at: Number.NEGATIVE_INFINITY, bytes: 0, freeBytes: 0 };

  /** @param foldersOf those in which it writes, at the moment: the first is always there */
  constructor(foldersOf: () => string[], maxBytes: number) {
    this.#foldersOf = foldersOf;
    this.#maxBytes = maxBytes;
    this.#repeater.soon();
  }

  /** `TooMuchWritten`; another error when the disk is full by whomever's doing */
  get exceeded(): AbortSignal {
    return this.#exceeded.signal;
  }

  close(): Promise<void> {
    return this.#repeater.close();
  }

  async #look(): Promise<number> {
    const begun = performance.now();
    const folders = this.#foldersOf();
    const { bavail, bsize } = await statfs(folders[0] ?? '/');
    const freeBytes = bavail * bsize;
    if (freeBytes < MIN_FREE_BYTES) {
      this.#exceeded.abort(new Error(`the disk of ${folders[0]} is full`));
    }
    const { at, bytes, freeBytes: freeThen } = this.#counted;
    if (bytes + freeThen - freeBytes > this.#maxBytes || begun - at > COUNT_EVERY_MS) {
      this.#counted = { at: begun, bytes: await bytesBelow(folders), freeBytes };
    }
    if (this.#counted.bytes > this.#maxBytes) {
      this.#exceeded.abort(new TooMuchWritten(`more than ${this.#maxBytes} bytes were written`));
    }
    return Math.max(LOOK_EVERY_MS, PAUSE_FACTOR * (performance.now() - begun));
  }
}

/** What files there take of the disk. Those that come and go meanwhile count or not. */
export async function bytesBelow(folders: readonly string[]): Promise<number> {
  if (folders.length === 0) return 0;
  const total = ['--summarize', '--total', '--one-file-system', '--block-size=1', '--'];
  const { stdout } = await exec('du', [...total, ...folders], { allowFailure: true });
  return Number(/^(\d+)\ttotal$/m.exec(stdout)?.[1] ?? 0);
}
