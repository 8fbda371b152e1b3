import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import type { Notifications } from '@slipway/db';
import { type BuildState, isBuildOver } from '@slipway/lifecycle';
import type { Asked } from '../access/asked.ts';
import { notFound } from '../access/not-found.ts';
import type { ProjectScope } from '../access/scope.store.ts';
import { invalid } from '../http/validate.ts';
import { NOTIFICATIONS } from '../platform.module.ts';
import type { NewBuild } from './build.schema.ts';
import { type BuildRow, BuildStore, type StoredOutput } from './build.store.ts';
import { ContextStore } from './context.store.ts';

const OUTPUT_AT_A_TIME = 500;

@Injectable()
export class BuildService {
  constructor(
    @Inject(BuildStore) private readonly builds: BuildStore,
    @Inject(ContextStore) private readonly contexts: ContextStore,
    @Inject(NOTIFICATIONS) private readonly notifications: Notifications,
  ) {}

  async create(asked: Asked, wanted: NewBuild): Promise<BuildRow> {
    const { context, target = null, ...accepted } = wanted;
    const found = await this.contexts.find(asked.scope, context);
    if (found === null) {
      throw invalid('context', `there is no "${context}" in this project: upload one first`);
    }
    return this.builds.create(asked.scope, { contextId: found.id, target, ...accepted }, asked);
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
    return this.builds.outputOfSteps(scope, row);
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

  /** What it has written; with `follow` also what it writes from now on, until it is over. */
  async *output(
    scope: ProjectScope,
    id: string,
    { follow }: { follow: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<StoredOutput[]> {
    let after = 0n;
    for await (const _ of this.notifications.changes('builds', id, signal)) {
      // read first: nothing is written once it is over
      const { state } = await this.get(scope, id);
      for (let count = OUTPUT_AT_A_TIME; count === OUTPUT_AT_A_TIME; ) {
        const page = { after, limit: OUTPUT_AT_A_TIME };
        const pieces = await this.builds.output(scope, id, page);
        count = pieces.length;
        after = pieces.at(-1)?.id ?? after;
        yield pieces;
      }
      if (!follow || isBuildOver(state as BuildState)) return;
    }
  }
}
