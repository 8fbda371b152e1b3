import type { Logger } from '@slipway/log';
import { ContainerLook, type Next } from './container-look.ts';
import type { NodeContext } from './node-context.ts';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 10_000;
/** From anywhere to rest it takes fewer. */
const MAX_STEPS = 20;

/**
 * Looks at containers: whoever thinks that something has to be done with one (a command, an exit, a
 * resync, a clock) calls `look`. One container is looked at by one at a time, and after each call
 * once more: nobody has to say what changed.
 */
export class Looks {
  readonly #context: NodeContext;
  readonly #log: Logger;
  readonly #known = new Map<string, Known>();
  readonly #watchers = new Map<string, Set<Watcher>>();
  #isClosed = false;

  constructor(context: NodeContext) {
    this.#context = context;
    this.#log = context.log;
  }

  /** Resolves when a look that began after this call is over. */
  look(engineId: string): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const known = this.#known.get(engineId) ?? {
      ...{ look: new ContainerLook(engineId, this.#context), underWay: null, waiting: null },
      ...{ timer: null, failures: 0 },
    };
    this.#known.set(engineId, known);
    known.waiting ??= (known.underWay ?? Promise.resolve()).then(() => {
      known.underWay = known.waiting;
      known.waiting = null;
      return this.#once(engineId, known);
    });
    return known.waiting;
  }

  /**
   * Tells `watcher` of each look from now on, and looks for it once. @returns what ends that
   */
  watch(engineId: string, watcher: Watcher): () => void {
    const watchers = this.#watchers.get(engineId) ?? new Set();
    this.#watchers.set(engineId, watchers.add(watcher));
    void this.look(engineId);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watchers.get(engineId) === watchers) {
        this.#watchers.delete(engineId);
      }
    };
  }

  /** Begins nothing new, and waits for what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { timer } of this.#known.values()) if (timer !== null) clearTimeout(timer);
    await Promise.all(
      [...this.#known.values()].map(({ underWay, waiting }) => waiting ?? underWay),
    );
  }

  async #once(engineId: string, known: Known): Promise<void> {
    if (known.timer !== null) clearTimeout(known.timer);
    known.timer = null;
    let next: Next = { type: 'again' };
    try {
      for (let steps = 0; next.type === 'again' && !this.#isClosed; steps++) {
        if (steps === MAX_STEPS) throw new Error('it does not come to rest');
        next = await known.look.step();
      }
      known.failures = 0;
      for (const watcher of this.#watchers.get(engineId) ?? []) watcher(known.look.isOver);
    } catch (error) {
      const afterMs = Math.min(FIRST_RETRY_MS * 2 ** known.failures, LAST_RETRY_MS);
      known.failures++;
      const { requestId } = known.look;
      const trace = requestId === null ? {} : { requestId };
      this.#log.warn({ err: error, engineId, retryMs: afterMs, ...trace }, 'a look failed');
      next = { type: 'later', afterMs };
    }
    known.underWay = null;
    if (this.#isClosed) return;
    if (next.type === 'later') {
      known.timer = setTimeout(() => void this.look(engineId), next.afterMs);
    } else if (known.waiting === null) {
      this.#known.delete(engineId);
    }
  }
}

/** @param isOver nothing of the container runs, and nothing is to run */
type Watcher = (isOver: boolean) => void;

interface Known {
  look: ContainerLook;
  underWay: Promise<void> | null;
  waiting: Promise<void> | null;
  timer: NodeJS.Timeout | null;
  /** in a row */
  failures: number;
}
