import { setTimeout as sleep } from 'node:timers/promises';
import type { Route } from '@slipway/contracts';
import type { Logger } from '@slipway/log';
import { persistently, Repeater } from '@slipway/process';
import type { RouteTable } from '@slipway/routes';

/** An edge that is killed loses no more than what it served in it. */
const GATHER_MS = 200;
/** Redis may have lost what it was told. */
const ALL_EVERY_MS = 10_000;

/** Counts the bytes of answers that came from containers, by service, and tells the API. */
export class Served {
  readonly #table: RouteTable;
  readonly #totals = new Map<string, number>();
  readonly #repeater: Repeater;
  /** services of which more was served than was told */
  #untold = new Set<string>();
  #allToldAt = Number.NEGATIVE_INFINITY;

  constructor(table: RouteTable, log: Logger) {
    this.#table = table;
    const onFailure = (err: unknown, retryMs: number): void =>
      log.warn({ err, retryMs }, 'what was served cannot be told');
    this.#repeater = new Repeater(persistently(() => this.#run(), onFailure));
  }

  add({ serviceId }: Route, bytes: number): void {
    this.#totals.set(serviceId, (this.#totals.get(serviceId) ?? 0) + bytes);
    if (this.#untold.has(serviceId)) return;
    this.#untold.add(serviceId);
    this.#repeater.soon();
  }

  /** Tells what is left to tell, unless Redis is away. */
  async close(): Promise<void> {
    // is sent before the table, which closes at the same time, breaks the connection
    const told = this.#table.tellServed(this.#totals).catch(() => {});
    await Promise.all([told, this.#repeater.close()]);
  }

  async #run(): Promise<number> {
    await sleep(GATHER_MS);
    const allToldAt = this.#allToldAt;
    const isAll = performance.now() - allToldAt >= ALL_EVERY_MS;
    const told = isAll ? this.#totals : this.#among(this.#untold);
    this.#untold = new Set();
    this.#allToldAt = Number.NEGATIVE_INFINITY;
    await this.#table.tellServed(told);
    this.#allToldAt = isAll ? performance.now() : allToldAt;
    return ALL_EVERY_MS;
  }

  #among(services: Iterable<string>): Map<string, number> {
    return new Map([...services].map((id) => [id, this.#totals.get(id) ?? 0]));
  }
}
