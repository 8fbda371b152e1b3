import { cpus, totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { ANNOUNCE_EVERY_MS, type API_CALLS } from '@slipway/contracts';
import type { Logger } from '@slipway/log';
import type { Caller } from '@slipway/rpc';

const FIRST_RETRY_MS = 200;

/** What the API has to know of a node that the node cannot find out by itself. */
interface Announced {
  name: string;
  endpoint: string;
  networkRange: string;
  life: string;
}

/** Joins this node, and goes on saying that it lives. */
export class Announcer {
  readonly #node: Announced;
  readonly #api: Caller<typeof API_CALLS>;
  readonly #log: Logger;
  readonly #closing = new AbortController();

  constructor(node: Announced, api: Caller<typeof API_CALLS>, log: Logger) {
    this.#node = node;
    this.#api = api;
    this.#log = log;
  }

  /** Resolves with the node's id, however long the API is away. */
  async join(): Promise<string> {
    for (;;) {
      try {
        const { nodeId } = await this.#announce();
        void this.#repeat();
        return nodeId;
      } catch (error) {
        this.#closing.signal.throwIfAborted();
        this.#log.warn({ err: error }, 'the API does not answer yet');
        await delay(FIRST_RETRY_MS, undefined, { signal: this.#closing.signal });
      }
    }
  }

  close(): void {
    this.#closing.abort();
  }

  async #repeat(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await delay(ANNOUNCE_EVERY_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      await this.#announce().catch((error: unknown) => {
        if (!signal.aborted) this.#log.warn({ err: error }, 'the API does not answer');
      });
    }
  }

  #announce() {
    const capacity = { cpus: cpus().length, memoryBytes: totalmem() };
    const { signal } = this.#closing;
    return this.#api.announceNode({ ...this.#node, ...capacity }, { signal });
  }
}
