import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import type { Database, Prisma, Queries } from '@slipway/db';
import type { OrganizationScope, ProjectScope } from '../access/scope.store.ts';
import { AuditStore, type Target } from '../audit/audit.store.ts';
import { mergePatch } from '../http/merge-patch.ts';
import { DATABASE, ORGANIZATION_LIMITS } from '../platform.module.ts';
import { Limits, type LimitsPatch, QUOTAS, type QuotaName, type Quotas } from './quota.schema.ts';

type Amounts = Readonly<Record<QuotaName, number>>;

/** An organization, or a project of it. */
interface Place {
  organizationId: string;
  projectId: string | null;
}

const NAMES = Object.keys(QUOTAS) as QuotaName[];
const LOCK = 7783;

/** How much organizations and projects have, and may have. */
@Injectable()
export class QuotaStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(AuditStore) private readonly audit: AuditStore,
    @Inject(ORGANIZATION_LIMITS) private readonly usual: Limits,
  ) {}

  /** Of the organization, or of the project alone. */
  async get(scope: OrganizationScope | ProjectScope): Promise<Quotas> {
    const { prisma } = this.database;
    const used = await usedIn(prisma, scope);
    const limits = await this.#limitsOf(prisma, scope);
    const entries = NAMES.map((name) => [name, { limit: limits[name] ?? null, used: used[name] }]);
    return Object.fromEntries(entries) as Quotas;
  }

  /** What is had already stays, also where it is more than the new limit. */
  async change(scope: OrganizationScope | ProjectScope, patch: LimitsPatch): Promise<void> {
    await this.database.transaction(async (tx) => {
      await lock(tx, scope);
      const { target, set } = await rowOf(tx, scope);
      const limits = Limits.parse(mergePatch(set, patch));
      if (scope.projectId === null) {
        await tx.organization.update({ where: { id: scope.organizationId }, data: { limits } });
      } else await tx.project.update({ where: { id: scope.projectId }, data: { limits } });
      const details = Object.entries(patch).map(([name, value]) => [name, String(value)]);
      await this.audit.record(tx, scope, target, Object.fromEntries(details));
    });
  }

  /**
   * That there is room for what the transaction has added: nobody else in the organization adds any until it ends.
   * @throws AppError `quota-exceeded`
   */
  async requireRoom(
    tx: Prisma.TransactionClient,
    scope: ProjectScope,
    added: Partial<Amounts>,
  ): Promise<void> {
    const { organizationId } = scope;
    const places = [scope, { organizationId, projectId: null }];
    let isLocked = false;
    for (const place of places) {
      const limits = await this.#limitsOf(tx, place);
      const limited = NAMES.filter(
        (name) => limits[name] !== undefined && added[name] !== undefined,
      );
      if (limited.length === 0) continue;
      if (!isLocked) await lock(tx, scope);
      isLocked = true;
      const used = await usedIn(tx, place);
      for (const name of limited) {
        const { [name]: limit = Number.POSITIVE_INFINITY } = limits;
        const { [name]: requested = 0 } = added;
        if (used[name] > limit) throw exceeded(place, name, { limit, now: used[name], requested });
      }
    }
  }

  async #limitsOf(on: Queries, place: Place): Promise<Limits> {
    const { set } = await rowOf(on, place);
    return place.projectId === null ? { ...this.usual, ...set } : set;
  }
}

/** @param set in place of what is usual */
async function rowOf(
  on: Queries,
  { organizationId, projectId }: Place,
): Promise<{ target: Target; set: Limits }> {
  const { id, slug, limits } =
    projectId === null
      ? await on.organization.findUniqueOrThrow({ where: { id: organizationId } })
      : await on.project.findUniqueOrThrow({ where: { id: projectId } });
  const type = projectId === null ? 'organization' : 'project';
  return { target: { type, id, name: slug }, set: Limits.parse(limits) };
}

async function lock(tx: Prisma.TransactionClient, { organizationId }: Place): Promise<void> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${LOCK}::int, hashtext(${organizationId}))`;
}

/** A container that waits for its next run runs. */
async function usedIn(on: Queries, { organizationId, projectId }: Place): Promise<Amounts> {
  const [used] = await on.$queryRaw<Amounts[]>`
    SELECT count(*)::int AS containers,
      coalesce(sum((spec ->> 'cpus')::numeric) FILTER (WHERE runs), 0)::float8 AS cpus,
      coalesce(sum((spec ->> 'memoryBytes')::numeric) FILTER (WHERE runs), 0)::float8 AS "memoryBytes"
    FROM (
      SELECT spec, generation > 0 AND (
        "restartAt" IS NOT NULL OR state IN ('pending', 'running', 'restarting', 'stopping')) AS runs
      FROM "Container" WHERE "organizationId" = ${organizationId} AND desired <> 'removed'
        AND (${projectId}::text IS NULL OR "projectId" = ${projectId})
    ) AS present`;
  if (used === undefined) throw new Error('nothing was counted');
  return used;
}

function exceeded(
  { projectId }: Place,
  quota: QuotaName,
  { limit, now, requested }: { limit: number; now: number; requested: number },
): AppError {
  const used = Number((now - requested).toFixed(6));
  const [of, raise] =
    projectId === null
      ? ['organization', 'who runs the platform can raise it']
      : ['project', 'the owners and admins of its organization can raise it'];
  return new AppError(
    'quota-exceeded',
    `The ${of} may have ${limit} ${QUOTAS[quota]}, and has ${used}; this needs ${requested} more. ${
      quota === 'containers' ? 'Remove' : 'Stop'
    } some first, or have the limit raised: ${raise}.`,
    { details: { quota, of, limit, used, requested } },
  );
}
