import { isDeepStrictEqual } from 'node:util';
import type { API_CALLS } from '@slipway/contracts';
import type { Logger } from '@slipway/log';
import { persistently, Repeater } from '@slipway/process';
import type { Caller } from '@slipway/rpc';
import { usageOf } from '../cgroups/usage.ts';
import { LOOKS, Meter, type Metered } from './meter.ts';

/** A call has its limit of bytes. */
const METERS_AT_A_TIME = 1_000;

/**
 * Counts what runs and builds use: of each it reports counters that grow from when this agent found it. That
 * needs no memory of what was reported: what nobody heard of is in the next report. What was between two agents
 * knows the cgroup, of CPU time, and the API, of memory.
 */
export class Meters {
  /** by cgroup */
  readonly #meters = new Map<string, Meter>();
  readonly #looks = new Repeater(async () => this.#look());
  readonly #reports: Repeater;
  readonly #nodeId: string;
  readonly #api: Caller<typeof API_CALLS>;
  readonly #log: Logger;

  constructor(nodeId: string, api: Caller<typeof API_CALLS>, log: Logger) {
    this.#log = log;
    this.#nodeId = nodeId;
    this.#api = api;
    const onFailure = (error: unknown, retryMs: number) => {
      log.warn({ err: error, retryMs }, 'usage could not be reported');
    };
    this.#reports = new Repeater(persistently(() => this.#report(), onFailure));
  }

  /** What has begun just now. */
  begun(metered: Metered): void {
    this.#follow(new Meter(metered, new Date(metered.startedAt)));
  }

  /** What goes on, whether it is known already or not. */
  found(metered: Metered): void {
    const usage = this.#meterOf(metered) === null ? usageOf(metered.cgroup) : null;
    if (usage === null || usage.isOver) return; // `end` knows when
    const meter = new Meter(metered, new Date());
    meter.look(usage);
    this.#follow(meter);
  }

  /**
   * Reports all that was used by what has ended. Until its cgroup is gone it may be done again.
   * @param endedAt null: nobody knows when
   * @throws Error when the API may not know it yet: it is told again, as long as this agent goes on
   */
  async end(metered: Metered, endedAt: Date | null): Promise<void> {
    const usage = usageOf(metered.cgroup);
    const known = this.#meterOf(metered);
    if (usage === null && known === null) return;
    const meter = known ?? new Meter(metered, endedAt ?? new Date(metered.startedAt));
    meter.end(endedAt, usage);
    await this.#send([meter]);
  }

  /** Reports once more. */
  async close(): Promise<void> {
    await this.#looks.close();
    await this.#reports.close();
    await this.#send([...this.#meters.values()]).catch((error: unknown) => {
      this.#log.warn({ err: error }, 'usage could not be reported');
    });
  }

  #meterOf({ cgroup, subject }: Metered): Meter | null {
    const meter = this.#meters.get(cgroup);
    return isDeepStrictEqual(meter?.metered.subject, subject) ? (meter ?? null) : null;
  }

  #follow(meter: Meter): void {
    this.#meters.set(meter.metered.cgroup, meter);
    this.#looks.soon();
    this.#reports.soon();
  }

  #look(): number | null {
    for (const [cgroup, meter] of this.#meters) {
      const usage = meter.isToBeLookedAt ? usageOf(cgroup) : null;
      if (usage !== null && !usage.isOver) meter.look(usage);
    }
    return this.#nextMs;
  }

  async #report(): Promise<number | null> {
    await this.#send([...this.#meters.values()].filter(({ isToBeReported }) => isToBeReported));
    return this.#nextMs;
  }

  get #nextMs(): number | null {
    return this.#meters.size === 0 ? null : LOOKS.leastMs;
  }

  async #send(meters: readonly Meter[]): Promise<void> {
    for (let from = 0; from < meters.length; from += METERS_AT_A_TIME) {
      const some = meters.slice(from, from + METERS_AT_A_TIME);
      const over = some.filter(({ isOver }) => isOver);
      const usage = some.flatMap(({ counters }) => counters ?? []);
      if (usage.length > 0) await this.#api.reportUsage({ nodeId: this.#nodeId, usage });
      for (const meter of some) meter.reported();
      for (const { metered } of over) {
        if (this.#meterOf(metered) !== null) this.#meters.delete(metered.cgroup);
      }
    }
  }
}
