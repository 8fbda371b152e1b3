import { Inject, Injectable } from '@nestjs/common';
import { type BuildOutput, type BuildStep, BuildStepSchema } from '@slipway/contracts';
import { type Database, newId, type Prisma } from '@slipway/db';
import { buildStatesBefore } from '@slipway/lifecycle';
import { BUILDS } from '@slipway/queue';
import { z } from 'zod';
import type { ProjectScope } from '../access/scope.store.ts';
import { AuditStore, type Target } from '../audit/audit.store.ts';
import { OutboxStore } from '../dispatch/outbox.store.ts';
import { DATABASE } from '../platform.module.ts';
import { QuotaStore } from '../quotas/quota.store.ts';
import { SealedValues } from '../secrets/sealed-values.ts';
import { givenUp } from './steps.ts';

export type BuildRow = Prisma.BuildGetPayload<object>;

/** A build as it was accepted. */
export interface AcceptedBuild {
  contextId: string;
  image: string;
  tag: string;
  dockerfile: string;
  target: string | null;
  args: Record<string, string>;
  labels: Record<string, string>;
  noCache: boolean;
}

export interface StoredOutput extends BuildOutput {
  /** later ones are greater */
  id: bigint;
  attempt: number;
}

/** Of what a step wrote, so many characters are shown with it: the last. */
export const SHOWN_OF_A_STEP = 16 * 1024;

/** A project's builds, and what they wrote. */
@Injectable()
export class BuildStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(AuditStore) private readonly audit: AuditStore,
    @Inject(OutboxStore) private readonly outbox: OutboxStore,
    @Inject(SealedValues) private readonly sealedValues: SealedValues,
    @Inject(QuotaStore) private readonly quotas: QuotaStore,
  ) {}

  /** @throws AppError `quota-exceeded` */
  async create(
    scope: ProjectScope,
    accepted: AcceptedBuild,
    secrets: Record<string, string>,
    { requestId }: { requestId: string },
  ): Promise<BuildRow> {
    const { organizationId, projectId, path } = scope;
    const id = newId('bld');
    const repository = `${path}/${accepted.image}`;
    const hasSecrets = Object.keys(secrets).length > 0;
    const sealedSecrets = hasSecrets ? await this.sealedValues.seal(id, secrets) : null;
    const data = { id, organizationId, projectId, repository, ...accepted, sealedSecrets };
    return this.database.transaction(async (tx) => {
      const row = await tx.build.create({ data: { ...data, requestId } });
      await this.quotas.requireRoom(tx, scope, { queuedBuilds: 1 });
      await this.outbox.add(tx, BUILDS, { buildId: row.id, requestId });
      await this.audit.record(tx, scope, targetOf(row), { context: row.contextId });
      return row;
    });
  }

  find({ projectId }: ProjectScope, id: string): Promise<BuildRow | null> {
    return this.database.prisma.build.findFirst({ where: { projectId, id } });
  }

  /** The newest first, those before the identifier `before` when there is one. */
  list(
    { projectId }: ProjectScope,
    { limit, before }: { limit: number; before: string | null },
  ): Promise<BuildRow[]> {
    return this.database.prisma.build.findMany({
      where: { projectId, ...(before === null ? {} : { id: { lt: before } }) },
      orderBy: { id: 'desc' },
      take: limit,
    });
  }

  /** null when it is over. Who makes it at the moment hears of it with the next report. */
  cancel(scope: ProjectScope, id: string): Promise<BuildRow | null> {
    const { projectId } = scope;
    return this.database.transaction(async (tx) => {
      await tx.$queryRaw`SELECT 1 FROM "Build" WHERE id = ${id} FOR UPDATE`;
      const where = { id, projectId, state: { in: [...buildStatesBefore('cancelled')] } };
      const before = await tx.build.findFirst({ where });
      if (before === null) return null;
      const finishedAt = new Date();
      const end = { reason: 'cancelled', message: 'It was cancelled.', finishedAt };
      const steps = givenUp(stepsOf(before), { how: 'cancelled', at: finishedAt });
      const data = { state: 'cancelled', ...end, steps, sealedSecrets: null };
      const row = await tx.build.update({ where: { id }, data });
      await tx.$executeRaw`SELECT pg_notify('builds', ${id}), pg_notify('built', ${id})`;
      await this.audit.record(tx, scope, targetOf(row));
      return row;
    });
  }

  /** What a build wrote behind `after`, the oldest first. */
  async output(
    { projectId }: ProjectScope,
    buildId: string,
    { after, limit }: { after: bigint; limit: number },
  ): Promise<StoredOutput[]> {
    const rows = await this.database.prisma.buildOutput.findMany({
      where: { buildId, build: { projectId }, id: { gt: after } },
      orderBy: { id: 'asc' },
      take: limit,
    });
    return rows.map(({ id, attempt, step, time, text }) => {
      return { id, attempt, step, time: time.toISOString(), text };
    });
  }

  /** The last of what each step of the newest attempt wrote, by the step's number. */
  async outputOfSteps({ projectId }: ProjectScope, row: BuildRow): Promise<Map<number, string>> {
    const found = await this.database.pool.query<{ step: number; text: string }>({
      name: 'output-of-build-steps',
      text: `SELECT step, right(string_agg(text, '' ORDER BY id), ${SHOWN_OF_A_STEP}) AS text
        FROM (
          SELECT o.id, o.step, o.text,
            sum(length(o.text)) OVER (PARTITION BY o.step ORDER BY o.id DESC) - length(o.text) AS behind
          FROM "BuildOutput" o JOIN "Build" b ON b.id = o."buildId"
          WHERE b.id = $1 AND b."projectId" = $2 AND o.attempt = $3 AND o.step IS NOT NULL
        ) AS pieces
        WHERE behind < ${SHOWN_OF_A_STEP} GROUP BY step`,
      values: [row.id, projectId, row.attempt],
    });
    return new Map(found.rows.map(({ step, text }) => [step, text]));
  }

  /**
   * Builds that are over, whose output is here yet.
   * @unscoped the platform takes care of them by itself
   */
  toArchive(limit: number): Promise<{ id: string; projectId: string }[]> {
    return this.database.prisma.build.findMany({
      where: { finishedAt: { not: null }, logDigest: null },
      orderBy: { finishedAt: 'asc' },
      take: limit,
      select: { id: true, projectId: true },
    });
  }

  /** What a build that is over wrote is in a blob from now on. Nothing when it is already. */
  async archived({ projectId }: ProjectScope, id: string, logDigest: string): Promise<void> {
    await this.database.transaction(async (tx) => {
      const where = { id, projectId, finishedAt: { not: null }, logDigest: null };
      const { count } = await tx.build.updateMany({ where, data: { logDigest } });
      if (count > 0) await tx.buildOutput.deleteMany({ where: { buildId: id } });
    });
  }
}

export function stepsOf({ steps }: Pick<BuildRow, 'steps'>): BuildStep[] {
  return z.array(BuildStepSchema).parse(steps);
}

function targetOf({ id, image, tag }: BuildRow): Target {
  return { type: 'build', id, name: `${image}:${tag}` };
}
