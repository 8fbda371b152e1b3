import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  type EdgeReport,
  type Route,
  type RouteChange,
  RouteChangeSchema,
} from '@slipway/contracts';
import { connect, type Redis } from '@slipway/redis';
import { CHANGES, EDGES, edgeKey, ROUTES, SERVED, VERSION } from './keys.ts';

/** An edge that is silent for so long is gone. */
const REPORT_LASTS_MS = 15_000;

/** All routes, in memory and up to date. While Redis is away, or has lost them, they stay as they are. */
export class RouteTable {
  /** of each host its newest change, so that an older one that comes late is not taken for news */
  readonly #known = new Map<string, RouteChange>();
  readonly #id = randomUUID();
  #onChange = (): void => {};
  /** of the newest change */
  #version = 0;
  /** all up to that are here: what was told while a connection was broken is not */
  #isWhole = false;
  #isClosed = false;
  readonly #ended = Promise.withResolvers<never>();
  readonly #subscriber: Redis;
  readonly #reader: Redis;

  private constructor(url: string) {
    this.#subscriber = connect(url, { maxRetriesPerRequest: null });
    this.#reader = connect(url, { maxRetriesPerRequest: null });
    this.#ended.promise.catch(() => {});
    this.#subscriber.on('message', (_channel, text) => {
      this.#take(text);
      this.#onChange();
    });
  }

  /** Resolves when the routes are there, however long Redis is away. @param url as ioredis takes it */
  static async open(url: string): Promise<RouteTable> {
    const table = new RouteTable(url);
    await table.#load();
    // what was told while the connection was broken
    table.#subscriber.on('ready', () => void table.#load().catch(() => {}));
    return table;
  }

  /** @param listener is called after each change from now on */
  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  /** @param host in lower case, without a port */
  find(host: string): Route | null {
    return this.#known.get(host)?.route ?? null;
  }

  /**
   * Tells the API up to where it has them. Nothing while some may be missing.
   * @param leaving engine ids: what is under way to these began with an earlier route
   */
  async report(leaving: readonly string[]): Promise<void> {
    if (!this.#isWhole || this.#isClosed) return;
    const report: EdgeReport = { version: this.#version, leaving: [...leaving] };
    const told = this.#reader
      .multi()
      .set(edgeKey(this.#id), JSON.stringify(report), 'PX', REPORT_LASTS_MS)
      .sadd(EDGES, this.#id)
      .exec();
    await Promise.race([told, this.#ended.promise]);
  }

  /**
   * Tells the API how much this edge has served, also what it told before in case Redis has lost that.
   * @param bytes by service, since the table was opened
   */
  async tellServed(bytes: ReadonlyMap<string, number>): Promise<void> {
    if (bytes.size === 0 || this.#isClosed) return;
    const fields = [...bytes].flatMap(([serviceId, total]) => [`${this.#id}/${serviceId}`, total]);
    await Promise.race([this.#reader.hset(SERVED, ...fields), this.#ended.promise]);
  }

  /** It is no edge any more. What it was to tell before is told, unless Redis is away; nothing after. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#reader.status === 'ready') {
      const broken = once(this.#reader, 'close');
      await Promise.race([this.#reader.del(edgeKey(this.#id)), broken]).catch(() => {});
    }
    this.#ended.reject(new Error('the table of routes is closed'));
    this.#subscriber.disconnect();
    this.#reader.disconnect();
  }

  /** What comes after the subscription is told, what came before is read: nothing is in between. */
  async #load(): Promise<void> {
    let isBroken = false;
    this.#subscriber.once('close', () => {
      isBroken = true;
      this.#isWhole = false;
    });
    await this.#subscriber.subscribe(CHANGES);
    const answers = await this.#reader.multi().get(VERSION).hgetall(ROUTES).exec();
    const [version, all] = (answers ?? []).map(([, value]) => value);
    const stored = all as Record<string, string>;
    for (const text of Object.values(stored)) this.#take(text);
    for (const { host, version: known } of this.#known.values()) {
      if (host in stored || known > Number(version ?? 0)) continue;
      this.#known.set(host, { version: known, host, route: null });
    }
    this.#version = Math.max(this.#version, Number(version ?? 0));
    this.#isWhole = !isBroken;
    this.#onChange();
  }

  #take(text: string): void {
    const change = RouteChangeSchema.parse(JSON.parse(text));
    this.#version = Math.max(this.#version, change.version);
    const known = this.#known.get(change.host);
    if (known === undefined || known.version < change.version) {
      this.#known.set(change.host, change);
    }
  }
}
