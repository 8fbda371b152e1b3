import type { DesiredContainer } from '@slipway/contracts';
import { Repeater } from '@slipway/process';
import { begunRunOf } from './labels.ts';
import type { Looks } from './looks.ts';
import { meterFound } from './metered-run.ts';
import { isAtRest, nextStep } from './next-step.ts';
import type { NodeContext } from './node-context.ts';

const EVERY_MS = 15_000;

/** Compares all that should be on the node with all that is, for whatever nobody told of. */
export class Resync {
  readonly #looks: Looks;
  readonly #context: NodeContext;
  readonly #repeater = new Repeater(() => this.#run());

  constructor(looks: Looks, context: NodeContext) {
    this.#looks = looks;
    this.#context = context;
  }

  soon(): void {
    this.#repeater.soon();
  }

  close(): Promise<void> {
    return this.#repeater.close();
  }

  async #run(): Promise<number> {
    await this.#once().catch((error: unknown) => {
      this.#context.log.warn({ err: error }, 'a resync failed');
    });
    return EVERY_MS;
  }

  async #once(): Promise<void> {
    const { api, containerd, log, nodeId } = this.#context;
    // First what is here: a container that came later must not look like one that nobody wants.
    const records = new Map(
      (await containerd.containers.list()).map((record) => [record.id, record]),
    );
    const tasks = await containerd.tasks.list();
    for (const [engineId, record] of records) {
      const run = begunRunOf(record);
      if (run.generation === 0 || tasks.get(engineId)?.status !== 'RUNNING') continue;
      meterFound(engineId, run, this.#context);
    }
    const { containers } = await api.desiredContainers({ nodeId });
    const desired = new Map(containers.map((container) => [container.engineId, container]));
    const stepOf = (engineId: string, wanted: DesiredContainer | null) => {
      const record = records.get(engineId) ?? null;
      return nextStep(wanted, {
        isMade: record !== null,
        begunGeneration: begunRunOf(record).generation,
        task: tasks.get(engineId)?.status ?? null,
      });
    };
    const all = new Set([...records.keys(), ...desired.keys()]);
    const off = [...all].filter((engineId) => {
      const wanted = desired.get(engineId) ?? null;
      return wanted?.isSettled === false || !isAtRest(stepOf(engineId, wanted));
    });
    if (off.length === 0) return;
    log.info({ count: off.length }, 'resync: containers are not as they should be');
    for (const engineId of off) void this.#looks.look(engineId);
  }
}
