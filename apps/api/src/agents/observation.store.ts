import { Inject, Injectable } from '@nestjs/common';
import type { Observation } from '@slipway/contracts';
import type { Database, Prisma } from '@slipway/db';
import { type ContainerState, statesBefore } from '@slipway/lifecycle';
import { tellingOf, tellOf } from '../containers/container.news.ts';
import { nextRunAt, type Restartable, RUNS_THAT_COUNT } from '../containers/restart-policy.ts';
import { AddressStore } from '../networks/address.store.ts';
import { DATABASE } from '../platform.module.ts';
import { RouteStore } from '../routing/route.store.ts';

type Ended = Extract<Observation, { state: 'exited' | 'failed' }>;
type Running = Extract<Observation, { state: 'running' }>;
type Pulled = Extract<Observation, { state: 'pulled' }>;
type Readiness = Extract<Observation, { state: 'ready' | 'unready' }>;

interface Seen extends Restartable {
  id: string;
  state: ContainerState;
  desired: string;
  generation: number;
  serviceId: string | null;
  pulledAt: Date | null;
  readyAt: Date | null;
  unready: string | null;
}

/**
 * Writes what agents saw. Old news, and news told twice, change nothing: a run that has ended stays as
 * it ended, and a state follows only one that it may follow.
 *
 * @unscoped only agents call it
 */
@Injectable()
export class ObservationStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(AddressStore) private readonly addresses: AddressStore,
    @Inject(RouteStore) private readonly routes: RouteStore,
  ) {}

  async note(nodeId: string, engineId: string, observation: Observation): Promise<void> {
    if (observation.state === 'running') return this.#noteRunning(nodeId, engineId, observation);
    await this.database.transaction(async (tx) => {
      const [seen] = await tx.$queryRaw<Seen[]>`SELECT id, state, desired, generation,
          "restartPolicy", "restartCount", "signalledRun", "serviceId", "pulledAt", "readyAt", unready
        FROM "Container" WHERE "engineId" = ${engineId} AND "nodeId" = ${nodeId} FOR UPDATE`;
      if (seen === undefined) return;
      const data = await this.#changeOf(tx, seen, observation);
      if (data === null) return;
      await tx.container.update({ where: { id: seen.id }, data });
      await tellOf(tx, seen.id);
      const isReadinessNews = data.readyAt !== undefined;
      if (isReadinessNews && seen.serviceId !== null) await this.routes.change(tx, seen.serviceId);
    });
  }

  /** In one statement: whoever waits for a start waits for this. */
  async #noteRunning(nodeId: string, engineId: string, seen: Running): Promise<void> {
    const { generation, startedAt } = seen;
    await this.database.pool.query({
      name: 'note-running',
      text: NOTE_RUNNING,
      values: [nodeId, engineId, generation, startedAt, statesBefore('running')],
    });
  }

  async #changeOf(
    tx: Prisma.TransactionClient,
    seen: Seen,
    observation: Exclude<Observation, Running>,
  ): Promise<Prisma.ContainerUpdateInput | null> {
    switch (observation.state) {
      case 'pulled':
        return seen.state === 'pending' && seen.pulledAt === null ? { pulledAt: new Date() } : null;
      case 'ready':
      case 'unready':
        return readinessOf(seen, observation);
      default:
        return this.#stateOf(tx, seen, observation);
    }
  }

  async #stateOf(
    tx: Prisma.TransactionClient,
    seen: Seen,
    observation: Exclude<Observation, Running | Pulled | Readiness>,
  ): Promise<Prisma.ContainerUpdateInput | null> {
    const { state } = observation;
    const mayFollow = statesBefore(state).includes(seen.state);
    switch (state) {
      case 'created':
        return mayFollow && seen.generation === 0 ? { state } : null;
      case 'exited':
      case 'failed': {
        const end = endOf(observation);
        await tx.run.updateMany({ where: openRun(seen.id, observation.generation), data: end });
        if (!mayFollow || observation.generation !== seen.generation) return null;
        const unready = seen.readyAt === null ? {} : { readyAt: null };
        return { state, ...end, ...unready, ...(await afterwards(tx, seen)) };
      }
      case 'removed': {
        const removedAt = new Date();
        const { generation, exitCode } = observation.run ?? NO_RUN;
        await tx.$executeRaw`UPDATE "Run" SET "finishedAt" = ${removedAt}, reason = 'removed',
          message = 'It was removed.',
          "exitCode" = CASE WHEN generation = ${generation} THEN ${exitCode}::int END
          WHERE "containerId" = ${seen.id} AND "finishedAt" IS NULL`;
        if (!mayFollow) return null;
        await this.addresses.release(tx, seen.id);
        return { state, removedAt };
      }
    }
  }
}

const NOTE_RUNNING = `
  WITH seen AS (
    SELECT id, state, generation FROM "Container"
    WHERE "nodeId" = $1 AND "engineId" = $2 FOR UPDATE
  ), run AS (
    UPDATE "Run" SET "startedAt" = $4 FROM seen
    WHERE "containerId" = seen.id AND "Run".generation = $3
      AND "finishedAt" IS NULL AND "startedAt" IS NULL
  ), changed AS (
    UPDATE "Container" c SET state = 'running', "startedAt" = $4 FROM seen
    WHERE c.id = seen.id AND seen.generation = $3 AND seen.state = ANY($5) RETURNING c.*
  ) ${tellingOf('changed')}`;

const NO_RUN = { generation: 0, exitCode: null };

function readinessOf(
  { state, generation, readyAt, unready }: Seen,
  seen: Readiness,
): Prisma.ContainerUpdateInput | null {
  if (state !== 'running' || seen.generation !== generation || readyAt !== null) return null;
  if (seen.state === 'ready') return { readyAt: new Date(), unready: null };
  return seen.message === unready ? null : { unready: seen.message };
}

/** It rests now, until somebody starts it, or its restart policy does. */
async function afterwards(
  tx: Prisma.TransactionClient,
  seen: Seen,
): Promise<Prisma.ContainerUpdateInput> {
  if (seen.desired !== 'running') return {};
  if (seen.restartPolicy === 'no') return { desired: 'stopped' };
  const newest = { orderBy: { generation: 'desc' }, take: RUNS_THAT_COUNT } as const;
  const runs = await tx.run.findMany({ where: { containerId: seen.id }, ...newest });
  const restartAt = nextRunAt(seen, runs);
  return restartAt === null ? { desired: 'stopped' } : { restartAt };
}

function openRun(containerId: string, generation: number) {
  return { containerId, generation, finishedAt: null };
}

function endOf(observation: Ended) {
  const { reason, message } = observation;
  const startedAt = observation.state === 'exited' ? observation.startedAt : null;
  return {
    ...{ reason, message, finishedAt: new Date(observation.finishedAt) },
    exitCode: observation.state === 'exited' ? observation.exitCode : null,
    ...(startedAt === null ? {} : { startedAt: new Date(startedAt) }),
  };
}
