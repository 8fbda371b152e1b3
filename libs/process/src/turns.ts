import pLimit, { type LimitFunction } from 'p-limit';

/** Of works with one key one is done at a time, in the order in which they were asked for. */
export class Turns {
  readonly #turns = new Map<string, LimitFunction>();

  /** Settles as `work` does. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = this.#turns.get(key) ?? pLimit(1);
    this.#turns.set(key, turn);
    try {
      return await turn(work);
    } finally {
      if (turn.activeCount + turn.pendingCount === 0) this.#turns.delete(key);
    }
  }
}
