import type { API_CALLS } from '@slipway/contracts';
import type { Logger } from '@slipway/log';
import { persistently, Repeater } from '@slipway/process';
import type { Caller } from '@slipway/rpc';
import { type CgroupUsage, usageOf } from '../cgroups/usage.ts';
import { cgroupOf } from '../containers/place.ts';
import { LOOKS, type MeteredRun, REPORTS, RunMeter } from './run-meter.ts';

/** A call has its limit of bytes. */
const RUNS_AT_A_TIME = 1_000;

/**
 * Counts what runs use: of each it reports counters that grow from when this agent found it. That needs
 * no memory of what was reported: what nobody heard of is in the next report. What was between two agents
 * knows the cgroup, of CPU time, and the API, of memory.
 */
export class Meters {
  readonly #meters = new Map<string, RunMeter>();
  readonly #looks = new Repeater(async () => this.#look());
  readonly #reports: Repeater;
  readonly #nodeId: string;
  readonly #api: Caller<typeof API_CALLS>;
  readonly #cgroupParent: string;
  readonly #log: Logger;

  constructor(
    { nodeId, cgroupParent }: { nodeId: string; cgroupParent: string },
    api: Caller<typeof API_CALLS>,
    log: Logger,
  ) {
    this.#cgroupParent = cgroupParent;
    this.#log = log;
    this.#nodeId = nodeId;
    this.#api = api;
    const onFailure = (error: unknown, retryMs: number) => {
      log.warn({ err: error, retryMs }, 'usage could not be reported');
    };
    this.#reports = new Repeater(persistently(() => this.#report(), onFailure));
    this.#reports.soon();
  }

  /** A run that has begun just now. */
  begun(run: MeteredRun): void {
    this.#follow(new RunMeter(run, new Date(run.startedAt)));
  }

  /** One that goes on, whether it is known already or not. */
  found(run: MeteredRun): void {
    const usage = this.#meterOf(run) === null ? this.#usageOf(run.engineId) : null;
    if (usage === null || usage.isOver) return; // `end` knows when
    const meter = new RunMeter(run, new Date());
    meter.look(usage);
    this.#follow(meter);
  }

  /**
   * Reports all that a run has used, which has ended. Until its cgroup is gone it may be done again.
   * @param endedAt null: nobody knows when
   */
  async end(run: MeteredRun, endedAt: Date | null): Promise<void> {
    const { engineId, generation } = run;
    if (generation === 0) return; // it never began
    const usage = this.#usageOf(engineId);
    const known = this.#meterOf(run);
    if (usage === null && known === null) return;
    const meter = known ?? new RunMeter(run, endedAt ?? new Date(run.startedAt));
    meter.end(endedAt, usage);
    await this.#send([meter]);
    if (known !== null) this.#meters.delete(engineId);
  }

  /** Reports once more. */
  async close(): Promise<void> {
    await this.#looks.close();
    await this.#reports.close();
    await this.#send([...this.#meters.values()]).catch((error: unknown) => {
      this.#log.warn({ err: error }, 'usage could not be reported');
    });
  }

  #meterOf({ engineId, generation }: MeteredRun): RunMeter | null {
    const meter = this.#meters.get(engineId);
    return meter?.run.generation === generation ? meter : null;
  }

  #usageOf(engineId: string): CgroupUsage | null {
    return usageOf(cgroupOf(engineId, this.#cgroupParent));
  }

  #follow(meter: RunMeter): void {
    this.#meters.set(meter.run.engineId, meter);
    this.#looks.soon();
  }

  #look(): number | null {
    for (const [engineId, meter] of this.#meters) {
      const usage = meter.isToBeLookedAt ? this.#usageOf(engineId) : null;
      if (usage !== null && !usage.isOver) meter.look(usage);
    }
    return this.#meters.size === 0 ? null : LOOKS.leastMs;
  }

  async #report(): Promise<number> {
    await this.#send([...this.#meters.values()].filter(({ isToBeReported }) => isToBeReported));
    return REPORTS.leastMs;
  }

  async #send(meters: readonly RunMeter[]): Promise<void> {
    for (let from = 0; from < meters.length; from += RUNS_AT_A_TIME) {
      const some = meters.slice(from, from + RUNS_AT_A_TIME);
      const runs = some.flatMap(({ counters }) => counters ?? []);
      if (runs.length > 0) await this.#api.reportUsage({ nodeId: this.#nodeId, runs });
      for (const meter of some) meter.reported();
    }
  }
}
