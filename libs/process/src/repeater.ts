/** Work of which one is done at a time, and once more after each time somebody asks for it. */
export class Repeater {
  readonly #work: () => Promise<number | null>;
  #isWanted = false;
  #isClosed = false;
  #underWay: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** @param work throws nothing, and says in how many ms to do it again unasked; null: only when asked */
  constructor(work: () => Promise<number | null>) {
    this.#work = work;
  }

  /** Now, or once more after the one under way. */
  soon(): void {
    if (this.#isClosed) return;
    this.#isWanted = true;
    this.#underWay ??= this.#run();
  }

  /** Begins nothing new, and waits for what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#rest();
    await this.#underWay;
  }

  async #run(): Promise<void> {
    this.#rest();
    let nextMs: number | null = null;
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      nextMs = await this.#work();
    }
    this.#underWay = null;
    if (nextMs !== null && !this.#isClosed) this.#timer = setTimeout(() => this.soon(), nextMs);
  }

  #rest(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** How long to wait after a failure. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;

/** What a `Repeater` does, of work that may throw: it is done again then, later each time. */
export function persistently(
  work: () => Promise<number | null>,
  onFailure: (error: unknown, retryMs: number) => void,
): () => Promise<number | null> {
  let failures = 0;
  return async () => {
    try {
      const nextMs = await work();
      failures = 0;
      return nextMs;
    } catch (error) {
      const retryMs = Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS);
      failures++;
      onFailure(error, retryMs);
      return retryMs;
    }
  };
}
