import { type Route, type RouteChange, RouteChangeSchema } from '@slipway/contracts';
import { connect, type Redis } from '@slipway/redis';
import { CHANGES, ROUTES, VERSION } from './keys.ts';

/** All routes, in memory and up to date. While Redis is away, or has lost them, they stay as they are. */
export class RouteTable {
  /** of each host its newest change, so that an older one that comes late is not taken for news */
  readonly #known = new Map<string, RouteChange>();
  readonly #subscriber: Redis;
  readonly #reader: Redis;

  private constructor(url: string) {
    this.#subscriber = connect(url, { maxRetriesPerRequest: null });
    this.#reader = connect(url, { maxRetriesPerRequest: null });
    this.#subscriber.on('message', (_channel, text) => this.#take(text));
  }

  /** Resolves when the routes are there, however long Redis is away. @param url as ioredis takes it */
  static async open(url: string): Promise<RouteTable> {
    const table = new RouteTable(url);
    await table.#load();
    // what was told while the connection was broken
    table.#subscriber.on('ready', () => void table.#load().catch(() => {}));
    return table;
  }

  /** @param host in lower case, without a port */
  find(host: string): Route | null {
    return this.#known.get(host)?.route ?? null;
  }

  close(): void {
    this.#subscriber.disconnect();
    this.#reader.disconnect();
  }

  /** What comes after the subscription is told, what came before is read: nothing is in between. */
  async #load(): Promise<void> {
    await this.#subscriber.subscribe(CHANGES);
    const answers = await this.#reader.multi().get(VERSION).hgetall(ROUTES).exec();
    const [version, all] = (answers ?? []).map(([, value]) => value);
    const stored = all as Record<string, string>;
    for (const text of Object.values(stored)) this.#take(text);
    for (const { host, version: known } of this.#known.values()) {
      if (host in stored || known > Number(version ?? 0)) continue;
      this.#known.set(host, { version: known, host, route: null });
    }
  }

  #take(text: string): void {
    const change = RouteChangeSchema.parse(JSON.parse(text));
    const known = this.#known.get(change.host);
    if (known === undefined || known.version < change.version) {
      this.#known.set(change.host, change);
    }
  }
}
