import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** What is told between replicas, within the transaction that it tells of. `built`: a build is over. */
const CHANNELS = [
  'outbox',
  'containers',
  'restarts',
  'builds',
  'built',
  'services',
  'routes',
] as const;
export type Channel = (typeof CHANNELS)[number];

const RETRY_MS = 200;

/** @param payload what was said; null: something may have been missed, so look at everything */
export type NotificationListener = (payload: string | null) => void;

/** PostgreSQL's LISTEN on a connection of its own, which is made again when it breaks. */
export class Notifications {
  readonly #url: string;
  readonly #listeners = new Map<Channel, Set<NotificationListener>>();
  readonly #closing = new AbortController();
  #running: Promise<void> | null = null;
  #client: pg.Client | null = null;

  constructor(url: string) {
    this.#url = url;
  }

  /** @returns what ends it */
  on(channel: Channel, listener: NotificationListener): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(listener));
    this.#running ??= this.#run();
    return () => void listeners.delete(listener);
  }

  /**
   * Yields at once, and again after each change of what `payload` names (several may be told as one)
   * until `signal` is aborted. Who reads after each time misses nothing.
   * @param idleMs when nothing changes for so long, it yields all the same
   */
  async *changes(
    channel: Channel,
    payload: string,
    signal: AbortSignal,
    idleMs?: number,
  ): AsyncGenerator<void> {
    let wake = Promise.withResolvers<void>();
    const stop = this.on(channel, (changed) => {
      if (changed === null || changed === payload) wake.resolve();
    });
    const onAbort = (): void => wake.resolve();
    signal.addEventListener('abort', onAbort);
    try {
      while (!signal.aborted) {
        yield;
        const timer = idleMs === undefined ? undefined : setTimeout(wake.resolve, idleMs);
        await wake.promise;
        clearTimeout(timer);
        wake = Promise.withResolvers();
      }
    } finally {
      stop();
      signal.removeEventListener('abort', onAbort);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#client?.end().catch(() => {});
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const client = new pg.Client({ connectionString: this.#url });
      this.#client = client;
      const ended = new Promise<void>((done) => client.once('end', () => done()));
      client.on('error', () => {});
      client.on('notification', ({ channel, payload }) =>
        this.#tell(channel as Channel, payload ?? ''),
      );
      try {
        await client.connect();
        await client.query(CHANNELS.map((channel) => `LISTEN ${channel}`).join('; '));
        for (const channel of CHANNELS) this.#tell(channel, null);
        await ended;
      } catch {
        await client.end().catch(() => {});
      }
      await delay(RETRY_MS, undefined, { signal }).catch(() => {});
    }
  }

  #tell(channel: Channel, payload: string | null): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener(payload);
  }
}
