import type { Logger } from '@slipway/log';
import { persistently, Repeater } from '@slipway/process';
import type { RouteTable } from '@slipway/routes';
import type { UnderWay } from './instances/under-way.ts';

/** Changes come in bursts. */
const GATHER_MS = 10;
/** Somebody waits for what is under way to end. */
const WHILE_LEAVING_MS = 100;
const EVERY_MS = 3_000;

/**
 * Tells the API which routes this edge has, and to which containers something is under way that its
 * routes no longer name: these are not stopped before it is over.
 */
export class Reports {
  readonly #table: RouteTable;
  readonly #underWay: UnderWay;
  readonly #repeater: Repeater;

  constructor({ table, underWay, log }: { table: RouteTable; underWay: UnderWay; log: Logger }) {
    this.#table = table;
    this.#underWay = underWay;
    const onFailure = (err: unknown, retryMs: number): void =>
      log.warn({ err, retryMs }, 'routes cannot be confirmed');
    this.#repeater = new Repeater(persistently(() => this.#run(), onFailure));
    table.onChange(() => this.#repeater.soon());
    this.#repeater.soon();
  }

  close(): Promise<void> {
    return this.#repeater.close();
  }

  async #run(): Promise<number> {
    await new Promise((done) => setTimeout(done, GATHER_MS));
    const leaving = this.#underWay.leaving((host) => this.#table.find(host));
    await this.#table.report(leaving);
    return leaving.length > 0 ? WHILE_LEAVING_MS : EVERY_MS;
  }
}
