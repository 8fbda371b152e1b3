import type { LogQuery } from '@slipway/contracts';
import type { LogRecord } from './cri-record.ts';

/** Which records of a log: of one stream or both, of a span of time. */
export class Selection {
  readonly #stream: LogQuery['stream'];
  readonly #since: string;
  readonly #until: string | null;

  constructor({ stream, since, until }: Pick<LogQuery, 'stream' | 'since' | 'until'>) {
    this.#stream = stream;
    // as records have it: such times are in the order of their letters
    this.#since = since === undefined ? '' : new Date(since).toISOString();
    this.#until = until === undefined ? null : new Date(until).toISOString();
  }

  has({ stream, time }: LogRecord): boolean {
    if (this.#stream !== undefined && stream !== this.#stream) return false;
    return !this.isTooOld(time) && (this.#until === null || time <= this.#until);
  }

  isTooOld(time: string): boolean {
    return time < this.#since;
  }
}
