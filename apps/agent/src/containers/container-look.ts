import { constants } from 'node:os';
import type { ContainerOrder, Observation } from '@slipway/contracts';
import { traced } from '@slipway/log';
import { timed } from '@slipway/metrics';
import { allOver } from '@slipway/process';
import type { ContainerRecord } from '../containerd/containers.ts';
import type { Task } from '../containerd/tasks.ts';
import { endRun, LOG_WITHIN_MS } from './end.step.ts';
import { removeEtcFiles } from './etc-files.ts';
import { cannotRun } from './failure.ts';
import {
  askedAtOf,
  askedLabel,
  type BegunRun,
  begunRunOf,
  NOT_BEGUN,
  stopSignalOf,
} from './labels.ts';
import { makeContainer } from './make.step.ts';
import { meterBegun, meterEnded } from './metered-run.ts';
import { isAtRest, nextStep, type Step } from './next-step.ts';
import type { NodeContext } from './node-context.ts';
import { placeOf } from './place.ts';
import { unreadiness } from './probe.ts';
import { report } from './report.ts';
import { runContainer } from './run.step.ts';

/** How long after a probe in vain comes the next one. */
const PROBE_AFTER_MS = { least: 50, most: 2_000 };

/** What comes after a look: another one at once, or at a time, or nothing until somebody says so. */
export type Next = { type: 'again' } | { type: 'later'; afterMs: number } | { type: 'nothing' };

const AGAIN: Next = { type: 'again' };
const NOTHING: Next = { type: 'nothing' };

/** What a look finds. */
interface Found {
  order: ContainerOrder | null;
  record: ContainerRecord | null;
  task: Task | null;
}

/** One container on this node: what is known of it between looks. */
export class ContainerLook {
  readonly #engineId: string;
  readonly #context: NodeContext;
  #requestId: string | null = null;
  #isOver = false;

  constructor(engineId: string, context: NodeContext) {
    this.#engineId = engineId;
    this.#context = context;
  }

  /** Of the request that led to what is desired; null: not known yet. */
  get requestId(): string | null {
    return this.#requestId;
  }

  /** Nothing of it runs, and nothing is to run. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Compares what should be with what is, and takes one step. @throws when it has to be tried again */
  async step(): Promise<Next> {
    const { api, containerd, nodeId } = this.#context;
    const engineId = this.#engineId;
    const [{ order }, record, task] = await Promise.all([
      api.containerOrder({ nodeId, engineId }),
      containerd.containers.get(engineId),
      containerd.tasks.get(engineId),
    ]);
    const actual = {
      isMade: record !== null,
      begunGeneration: begunRunOf(record).generation,
      task: task?.status ?? null,
    };
    const step = nextStep(order, actual);
    const take = () => this.#measured(step, order, () => this.#take(step, { order, record, task }));
    if (order === null) return take();
    this.#requestId = order.requestId;
    return traced(order.requestId, take);
  }

  async #measured(
    step: Step,
    order: ContainerOrder | null,
    take: () => Promise<Next>,
  ): Promise<Next> {
    const { log, metrics } = this.#context;
    const begun = performance.now();
    const next = await timed(metrics.stepSeconds, { step }, take);
    const durationMs = Math.round(performance.now() - begun);
    const level = isAtRest(step) || step === 'probe' ? 'debug' : 'info';
    this.#isOver = isOver(step, order);
    log[level]({ engineId: this.#engineId, containerId: order?.id, step, durationMs }, 'step');
    return next;
  }

  async #take(step: Step, { order, record, task }: Found): Promise<Next> {
    const begun = begunRunOf(record);
    switch (step) {
      case 'make':
        return this.#try(order, async (known) => {
          await makeContainer(known, this.#context);
          return { state: 'created' };
        });
      case 'run':
        return this.#try(order, async (known) => {
          const run = await runContainer(known, record, this.#context);
          meterBegun(this.#engineId, run, this.#context);
          return { state: 'running', generation: run.generation, startedAt: run.at };
        });
      case 'probe':
        return this.#probe(order, begun);
      case 'stop':
        if (record === null || order === null) return NOTHING;
        return this.#stop(record, order.stopGraceMs);
      case 'discard':
        await this.#discard(task);
        return task?.status === 'CREATED' ? AGAIN : NOTHING;
      case 'end':
        if (task === null || order === null) return NOTHING;
        await endRun(this.#engineId, { task, begun }, order, this.#context);
        return AGAIN;
      case 'lose':
        await meterEnded(this.#engineId, begun, null, this.#context);
        return this.#over(order, LOST);
      case 'skip':
        return this.#over(order, NEVER_BEGAN);
      case 'remove':
        return this.#remove(order, { task, begun });
      case 'confirm-created':
        await this.#report({ state: 'created' });
        return NOTHING;
      case 'confirm-running':
        await this.#confirmRunning(begun);
        return NOTHING;
      case 'rest':
        return NOTHING;
    }
  }

  /** Reports what came of it: what cannot succeed failed; all else is thrown, to be tried again. */
  async #try(
    order: ContainerOrder | null,
    work: (order: ContainerOrder) => Promise<Observation>,
  ): Promise<Next> {
    if (order === null) return NOTHING;
    try {
      await this.#report(await work(order));
    } catch (error) {
      const failure = cannotRun(error);
      if (failure === null) throw error;
      const { generation } = order;
      this.#context.log.info({ err: error, containerId: order.id, generation }, 'cannot run');
      const { reason, message } = failure;
      const finishedAt = new Date().toISOString();
      await this.#report({ state: 'failed', generation, reason, message, finishedAt });
      return AGAIN;
    }
    return order.awaitsProbe ? AGAIN : NOTHING;
  }

  /** The longer it takes, the less often it is asked. */
  async #probe(order: ContainerOrder | null, begun: BegunRun): Promise<Next> {
    const wanted = order?.spec.probe;
    if (order === null || wanted === undefined) return NOTHING;
    await this.#confirmRunning(begun);
    const { generation } = begun;
    const message = await unreadiness(order.address.address, wanted);
    if (message === null) {
      await this.#report({ state: 'ready', generation });
      return NOTHING;
    }
    await this.#report({ state: 'unready', generation, message });
    const sinceMs = Date.now() - Date.parse(begun.at);
    const afterMs = Math.min(Math.max(sinceMs / 4, PROBE_AFTER_MS.least), PROBE_AFTER_MS.most);
    return { type: 'later', afterMs };
  }

  async #confirmRunning({ generation, at }: BegunRun): Promise<void> {
    await this.#report({ state: 'running', generation, startedAt: at });
  }

  /**
   * First asks, once, whoever is the agent by then; later makes it end. The end itself is an event
   * that leads to the next look.
   */
  async #stop(record: ContainerRecord, graceMs: number): Promise<Next> {
    const { containers, tasks } = this.#context.containerd;
    const id = this.#engineId;
    const now = new Date();
    const askedAt = askedAtOf(record);
    const killInMs = (askedAt ?? now).getTime() + graceMs - now.getTime();
    if (killInMs <= 0) {
      await tasks.kill(id, constants.signals.SIGKILL);
    } else if (askedAt === null) {
      await tasks.kill(id, stopSignalOf(record));
      await containers.setLabels(id, askedLabel(now));
    }
    return { type: 'later', afterMs: Math.max(killInMs, KILL_EVERY_MS) };
  }

  async #discard(task: Task | null): Promise<void> {
    const { containers, tasks } = this.#context.containerd;
    if (task?.status !== 'CREATED') {
      await tasks.kill(this.#engineId, constants.signals.SIGKILL);
      return;
    }
    await tasks.delete(this.#engineId);
    await containers.setLabels(this.#engineId, NOT_BEGUN);
  }

  async #over(order: ContainerOrder | null, how: typeof LOST | typeof NEVER_BEGAN): Promise<Next> {
    if (order === null) return NOTHING;
    const { containerd, network, outputs } = this.#context;
    await containerd.tasks.delete(this.#engineId);
    await network.detach(this.#engineId);
    await outputs.close(this.#engineId, LOG_WITHIN_MS);
    const finishedAt = new Date().toISOString();
    const { generation } = order;
    const unknown = { exitCode: null, startedAt: null };
    await this.#report({ state: 'exited', generation, ...unknown, ...how, finishedAt });
    return AGAIN;
  }

  async #remove(order: ContainerOrder | null, { task, begun }: Last): Promise<Next> {
    const { containerd, network, outputs } = this.#context;
    const { containers, snapshots, tasks } = containerd;
    const id = this.#engineId;
    const run = endedRun(task, begun);
    await meterEnded(id, begun, task?.exitedAt ?? null, this.#context);
    await allOver([
      tasks.delete(id).then(() => allOver([containers.delete(id), snapshots.remove(id)])),
      network.detach(id),
      outputs.remove(id),
      removeEtcFiles(placeOf(id, this.#context).etc),
    ]);
    if (order !== null) await this.#report({ state: 'removed', run });
    return NOTHING;
  }

  #report(observation: Observation): Promise<void> {
    return report(this.#engineId, observation, this.#context);
  }
}

/** What is here of the newest run. */
interface Last {
  task: Task | null;
  begun: BegunRun;
}

type EndedRun = Extract<Observation, { state: 'removed' }>['run'];

function endedRun(task: Task | null, { generation }: BegunRun): EndedRun {
  if (task?.status !== 'STOPPED' || generation === 0) return null;
  return { generation, exitCode: task.exitCode };
}

/** @param step that was taken */
function isOver(step: Step, order: ContainerOrder | null): boolean {
  if (step === 'remove' || order === null) return true;
  return order.desired === 'stopped' && (isAtRest(step) || step === 'make');
}

/** One that does not end at once is in the kernel's hands, or about to be seen as ended. */
const KILL_EVERY_MS = 1_000;

const LOST = {
  reason: 'instance-stopped',
  message: 'What ran it on its node ended; how its program ended is not known.',
} as const;
const NEVER_BEGAN = { reason: 'stopped', message: 'It was stopped before it began.' } as const;
