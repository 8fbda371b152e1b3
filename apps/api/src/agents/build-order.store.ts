import { Inject, Injectable } from '@nestjs/common';
import {
  BUILD_ATTEMPTS,
  BUILD_LEASE_MS,
  type BuildEnd,
  type BuildOutput,
  type BuildStep,
} from '@slipway/contracts';
import type { Database, Prisma } from '@slipway/db';
import { buildStatesBefore } from '@slipway/lifecycle';
import { type BuildRow, stepsOf } from '../builds/build.store.ts';
import { givenUp } from '../builds/steps.ts';
import { DATABASE, ORGANIZATION_LIMITS } from '../platform.module.ts';
import type { Limits } from '../quotas/quota.schema.ts';
import { nextInTurn } from './build-turns.ts';

/** What an agent made of a build, at which attempt. */
interface Attempt {
  nodeId: string;
  buildId: string;
  attempt: number;
}

/**
 * Gives builds to nodes. Who takes one has it for `BUILD_LEASE_MS` from each report on; after that
 * another may take it, and what the earlier one says then is not heard.
 *
 * @unscoped only agents call it
 */
@Injectable()
export class BuildOrderStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(ORGANIZATION_LIMITS) private readonly usual: Limits,
  ) {}

  /** This node has none any more. */
  async release(nodeId: string): Promise<void> {
    await this.database.prisma.build.updateMany({
      where: { nodeId, state: 'running' },
      data: { leasedUntil: new Date() },
    });
  }

  /** The next one in turn; null when none may begin. It fails when too many have taken it and ended. */
  take(nodeId: string): Promise<BuildRow | null> {
    return this.database.transaction(async (tx) => {
      const buildId = await nextInTurn(tx, this.usual);
      if (buildId === null) return null;
      const [taken] = await tx.build.updateManyAndReturn({
        where: { id: buildId, state: { in: [...buildStatesBefore('running')] } },
        data: {
          ...{ state: 'running', nodeId, attempt: { increment: 1 } },
          ...{ leasedUntil: leaseEnd(), startedAt: new Date() },
        },
      });
      if (taken === undefined) return null;
      const { attempt } = taken;
      if (attempt > BUILD_ATTEMPTS) {
        await endOf(tx, taken, {
          ...{ state: 'failed', reason: 'node-lost' },
          message: `The node ended ${BUILD_ATTEMPTS} times while it was built.`,
        });
        return null;
      }
      if (attempt > 1) {
        const text = 'The node has ended: the build begins again.\n';
        const piece = { number: BEFORE_THE_FIRST, step: null, time: new Date(), text };
        await tx.buildOutput.create({ data: { buildId, attempt, ...piece } });
        await tx.build.update({ where: { id: buildId }, data: { steps: [] } });
      }
      await tell(tx, buildId);
      return taken;
    });
  }

  /** With what it is built of; null when it is not this attempt's (any more). */
  find({ buildId, nodeId, attempt }: Attempt) {
    return this.database.prisma.build.findFirst({
      where: { id: buildId, nodeId, attempt, state: 'running' },
      include: { context: { select: { digest: true } } },
    });
  }

  /** @returns false when it is not this attempt's any more */
  report(
    { buildId, nodeId, attempt }: Attempt,
    seen: { steps: BuildStep[] | null; outputFrom: number; output: readonly BuildOutput[] },
  ): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const { count } = await tx.build.updateMany({
        where: { id: buildId, nodeId, attempt, state: 'running' },
        data: { leasedUntil: leaseEnd(), ...(seen.steps === null ? {} : { steps: seen.steps }) },
      });
      if (count === 0) return false;
      if (seen.output.length > 0) {
        await tx.buildOutput.createMany({
          data: seen.output.map((piece, index) => {
            return { buildId, attempt, number: seen.outputFrom + index, ...piece };
          }),
          skipDuplicates: true,
        });
      }
      if (seen.steps !== null || seen.output.length > 0) await tell(tx, buildId);
      return true;
    });
  }

  /** Nothing when it is not this attempt's any more. */
  async end({ buildId, nodeId, attempt }: Attempt, end: BuildEnd): Promise<void> {
    await this.database.transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1 FROM "Build" WHERE id = ${buildId} FOR UPDATE`;
      const before = { in: [...buildStatesBefore(end.state)] };
      const row = await tx.build.findFirst({
        where: { id: buildId, nodeId, attempt, state: before },
      });
      if (row !== null) await endOf(tx, row, end);
    });
  }
}

/** An attempt's own output is counted from 0. */
const BEFORE_THE_FIRST = -1;

function leaseEnd(): Date {
  return new Date(Date.now() + BUILD_LEASE_MS);
}

async function endOf(tx: Prisma.TransactionClient, row: BuildRow, end: BuildEnd): Promise<void> {
  const how =
    end.state === 'succeeded'
      ? { digest: end.digest, reason: 'completed', message: null }
      : { reason: end.reason, message: end.message };
  const finishedAt = new Date();
  const steps = givenUp(stepsOf(row), { how: 'failed', at: finishedAt });
  const data = { state: end.state, ...how, steps, finishedAt, sealedSecrets: null };
  await tx.build.update({ where: { id: row.id }, data });
  await tx.$executeRaw`SELECT pg_notify('builds', ${row.id}), pg_notify('built', ${row.id})`;
}

async function tell(tx: Prisma.TransactionClient, buildId: string): Promise<void> {
  await tx.$executeRaw`SELECT pg_notify('builds', ${buildId})`;
}
