import { Inject, Injectable } from '@nestjs/common';
import { AppError, IDLE_EVERY_MS } from '@slipway/contracts';
import type { Notifications } from '@slipway/db';
import { type BuildState, isBuildOver } from '@slipway/lifecycle';
import type { Asked } from '../access/asked.ts';
import { notFound } from '../access/not-found.ts';
import type { ProjectScope } from '../access/scope.store.ts';
import { invalid } from '../http/validate.ts';
import { NOTIFICATIONS } from '../platform.module.ts';
import { type Excess, quotaExceeded } from '../quotas/excess.ts';
import { QuotaStore } from '../quotas/quota.store.ts';
import { BuildLog } from './build.log.ts';
import type { NewBuild } from './build.schema.ts';
import { type BuildRow, BuildStore, type StoredOutput } from './build.store.ts';
import { ContextStore } from './context.store.ts';

@Injectable()
export class BuildService {
  constructor(
    @Inject(BuildStore) private readonly builds: BuildStore,
    @Inject(BuildLog) private readonly buildLog: BuildLog,
    @Inject(ContextStore) private readonly contexts: ContextStore,
    @Inject(QuotaStore) private readonly quotas: QuotaStore,
    @Inject(NOTIFICATIONS) private readonly notifications: Notifications,
  ) {}

  /**
   * Before much is sent that would be refused.
   * @throws AppError `quota-exceeded`
   */
  async requireRoom(scope: ProjectScope): Promise<void> {
    const excess = await this.quotas.excessOf(scope, { queuedBuilds: 1 });
    if (excess !== null) throw quotaExceeded(excess);
  }

  /** The limit that one which is queued waits for; null: it is next, or waits for a node. */
  async waitsFor(scope: ProjectScope, { state }: BuildRow): Promise<Excess | null> {
    return state === 'queued' ? this.quotas.excessOf(scope, { concurrentBuilds: 1 }) : null;
  }

  async create(asked: Asked, wanted: NewBuild): Promise<BuildRow> {
    const { context, target = null, secrets, ...accepted } = wanted;
    const found = await this.contexts.find(asked.scope, context);
    if (found === null) {
      throw invalid('context', `there is no "${context}" in this project: upload one first`);
    }
    const build = { contextId: found.id, target, ...accepted };
    return this.builds.create(asked.scope, build, secrets, asked);
  }

  /** @throws AppError `not-found` */
  async get(scope: ProjectScope, id: string): Promise<BuildRow> {
    const row = await this.builds.find(scope, id);
    if (row === null) {
      throw notFound(`build "${id}" in this project`);
    }
    return row;
  }

  list(scope: ProjectScope, page: { limit: number; before: string | null }): Promise<BuildRow[]> {
    return this.builds.list(scope, page);
  }

  outputOfSteps(scope: ProjectScope, row: BuildRow): Promise<Map<number, string>> {
    return this.buildLog.ofSteps(scope, row);
  }

  async cancel(scope: ProjectScope, id: string): Promise<{ row: BuildRow; isNew: boolean }> {
    await this.get(scope, id);
    const cancelled = await this.builds.cancel(scope, id);
    if (cancelled !== null) return { row: cancelled, isNew: true };
    const row = await this.get(scope, id);
    if (row.state === 'cancelled') return { row, isNew: false };
    throw new AppError('state-conflict', `The build has ${row.state} already.`);
  }

  /** Waits until it is in one of `states`, or when there are none until it is over. */
  async wait(
    scope: ProjectScope,
    id: string,
    states: readonly string[],
    signal: AbortSignal,
  ): Promise<BuildRow> {
    let row = await this.get(scope, id);
    for await (const _ of this.notifications.changes('builds', id, signal)) {
      row = await this.get(scope, id);
      if (states.includes(row.state) || isBuildOver(row.state as BuildState)) break;
    }
    return row;
  }

  /** What it has written behind `after`; with `follow` also what it writes from now on, until it is over. */
  async *output(
    scope: ProjectScope,
    id: string,
    { follow, after }: { follow: boolean; after: bigint },
    signal: AbortSignal,
  ): AsyncGenerator<StoredOutput[]> {
    let seen = after;
    for await (const _ of this.notifications.changes('builds', id, signal, IDLE_EVERY_MS)) {
      // read first: nothing is written once it is over
      const row = await this.get(scope, id);
      for await (const pieces of this.buildLog.read(scope, row, seen)) {
        seen = pieces.at(-1)?.id ?? seen;
        yield pieces;
      }
      if (!follow || isBuildOver(row.state as BuildState)) return;
    }
  }
}
