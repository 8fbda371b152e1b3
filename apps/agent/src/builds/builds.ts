import { availableParallelism } from 'node:os';
import {
  BUILD_ATTEMPTS,
  type BUILD_CALLS,
  type BuildEnd,
  type BuildOrder,
} from '@slipway/contracts';
import { type Logger, traced } from '@slipway/log';
import { Histogram, type Metrics, SECONDS } from '@slipway/metrics';
import { Repeater } from '@slipway/process';
import type { Caller } from '@slipway/rpc';
import pLimit from 'p-limit';
import { type BuildTools, build } from './build.ts';
import { BuildFailure } from './build-failure.ts';
import { BuildReport } from './build-report.ts';
import { removeFolder } from './remove-folder.ts';

const LOOK_EVERY_MS = 15_000;

export interface BuildsContext extends BuildTools {
  nodeId: string;
  api: Caller<typeof BUILD_CALLS>;
  log: Logger;
  metrics: Metrics;
}

/** As many as a node makes at a time. */
export const BUILDS_SIDE_BY_SIDE = availableParallelism();

/** Makes builds on this node, each in its turn: when it is told that one waits, and now and then unasked. */
export class Builds {
  readonly #context: BuildsContext;
  readonly #places = pLimit(BUILDS_SIDE_BY_SIDE);
  readonly #underWay = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #looking = new Repeater(() => this.#look());

  readonly #seconds: Histogram<'end'>;

  private constructor(context: BuildsContext) {
    this.#context = context;
    this.#seconds = new Histogram({
      name: 'slipway_agent_build_duration_seconds',
      help: 'How long builds take, from their context to the pushed image',
      ...{ labelNames: ['end'], buckets: SECONDS, registers: [context.metrics] },
    });
  }

  /** What an earlier agent had under way is nobody's any more. */
  static async begin(context: BuildsContext): Promise<Builds> {
    await removeFolder(context.workDir);
    await context.api.releaseBuilds({ nodeId: context.nodeId });
    return new Builds(context);
  }

  /** The one whose turn it is, once there is a place; resolves when it is over, or when none waits. */
  makeNext(): Promise<void> {
    const making = this.#places(() => this.#makeNext())
      .catch((error: unknown) => {
        this.#context.log.warn({ err: error }, 'no build can be taken now');
      })
      .finally(() => this.#underWay.delete(making));
    this.#underWay.add(making);
    return making;
  }

  /** Builds may wait that nobody told of. */
  look(): void {
    this.#looking.soon();
  }

  /** Gives up what is under way: another agent, or the next one here, begins it again. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#looking.close();
    await Promise.all(this.#underWay);
    await this.#context.builder.close();
  }

  async #look(): Promise<number> {
    const taken = this.#places.activeCount + this.#places.pendingCount;
    for (let place = taken; place < BUILDS_SIDE_BY_SIDE; place++) void this.makeNext();
    return LOOK_EVERY_MS;
  }

  async #makeNext(): Promise<void> {
    const { api, nodeId } = this.#context;
    if (this.#closing.signal.aborted) return;
    const { order } = await api.takeBuild({ nodeId });
    if (order === null) return;
    await traced(order.requestId, () => this.#carryOut(order));
    this.look();
  }

  async #carryOut(order: BuildOrder): Promise<void> {
    const { api, log, nodeId } = this.#context;
    const begun = performance.now();
    const report = new BuildReport({ nodeId, order }, api, log);
    const end = await this.#endOf(order, report);
    if (end === null) {
      await report.stop();
    } else {
      if (end.state === 'failed') report.write(null, end.message);
      await report.end(end, this.#closing.signal);
    }
    const durationMs = Math.round(performance.now() - begun);
    this.#seconds.observe({ end: end?.state ?? 'given-up' }, durationMs / 1_000);
    const { id: buildId, attempt } = order;
    log.info({ buildId, attempt, durationMs, end: end ?? 'given up' }, 'build');
  }

  /** @throws Error when it is somebody else's by now */
  async #pushTokenOf({ id: buildId, attempt }: BuildOrder): Promise<string> {
    const { api, nodeId } = this.#context;
    const { token } = await api.grantPush({ nodeId, buildId, attempt });
    if (token === null) throw new Error('the build is not ours any more');
    return token;
  }

  /** null: it is to be begun again, or somebody else's to say */
  async #endOf(order: BuildOrder, report: BuildReport): Promise<BuildEnd | null> {
    const givenUp = AbortSignal.any([this.#closing.signal, report.lost]);
    const timeout = AbortSignal.timeout(order.timeoutMs);
    try {
      const signal = AbortSignal.any([givenUp, timeout]);
      const pushToken = () => this.#pushTokenOf(order);
      return await build(order, this.#context, report, pushToken, signal);
    } catch (error) {
      if (givenUp.aborted) return null;
      if (timeout.aborted) {
        const message = `It took more than ${order.timeoutMs / 60_000} minutes.`;
        return { state: 'failed', reason: 'timed-out', message };
      }
      if (error instanceof BuildFailure) {
        return { state: 'failed', reason: error.reason, message: error.message };
      }
      const { id: buildId, attempt } = order;
      this.#context.log.error({ err: error, buildId, attempt }, 'a build failed by our fault');
      if (attempt < BUILD_ATTEMPTS) return null;
      const message = 'Something went wrong on our side; it has been logged.';
      return { state: 'failed', reason: 'builder-failed', message };
    }
  }
}
