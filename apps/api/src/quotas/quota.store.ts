import { Inject, Injectable } from '@nestjs/common';
import type { Database, Prisma, Queries } from '@slipway/db';
import { LIBRARY, type OrganizationScope, type ProjectScope } from '../access/scope.store.ts';
import { AuditStore, type Target } from '../audit/audit.store.ts';
import { mergePatch } from '../http/merge-patch.ts';
import { DATABASE, ORGANIZATION_LIMITS } from '../platform.module.ts';
import { type Excess, quotaExceeded } from './excess.ts';
import {
  type Amounts,
  Limits,
  type LimitsPatch,
  QUOTA_NAMES,
  type QuotaName,
  type Quotas,
} from './quota.schema.ts';
import { type Place, usedIn } from './used.ts';

/** How much a place may have of `names`. */
interface Limit {
  place: Place;
  limits: Limits;
  names: readonly QuotaName[];
}

interface LimitsOf {
  organization: Limits;
  project: Limits | null;
}

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
    const used = await usedIn(prisma, scope, QUOTA_NAMES);
    const { organization, project } = await this.#limitsOf(prisma, scope);
    const limits = project ?? organization;
    const entries = QUOTA_NAMES.map((name) => {
      return [name, { limit: limits[name] ?? null, used: used[name] }];
    });
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
    const excess = await this.excessWith(tx, scope, added);
    if (excess !== null) throw quotaExceeded(excess);
  }

  /** Instead of `requireRoom`, where the transaction does something else then. */
  async excessWith(
    tx: Prisma.TransactionClient,
    scope: ProjectScope,
    added: Partial<Amounts>,
  ): Promise<Excess | null> {
    const limits = await this.#limitsOn(tx, scope, added);
    if (limits.length === 0) return null;
    await lock(tx, scope);
    return excessOver(tx, limits, { requested: added, isThere: true });
  }

  async isLimited(scope: ProjectScope, quota: QuotaName): Promise<boolean> {
    const limits = await this.#limitsOn(this.database.prisma, scope, { [quota]: 0 });
    return limits.length > 0;
  }

  /** What there is no room for just now; null: there is. */
  async excessOf(scope: ProjectScope, requested: Partial<Amounts>): Promise<Excess | null> {
    const { prisma } = this.database;
    const limits = await this.#limitsOn(prisma, scope, requested);
    return excessOver(prisma, limits, { requested, isThere: false });
  }

  /** What limits them, in the project and then in its organization. */
  async #limitsOn(on: Queries, scope: ProjectScope, amounts: Partial<Amounts>): Promise<Limit[]> {
    const { organization, project } = await this.#limitsOf(on, scope);
    const everywhere = { organizationId: scope.organizationId, projectId: null };
    const limitsOn = (place: Place, limits: Limits): Limit => {
      const names = QUOTA_NAMES.filter((name) => limits[name] !== undefined && name in amounts);
      return { place, limits, names };
    };
    return [limitsOn(scope, project ?? {}), limitsOn(everywhere, organization)].filter(
      ({ names }) => names.length > 0,
    );
  }

  /** What an organization's row does not say is as it usually is; that of the base images is the platform's. */
  async #limitsOf(on: Queries, { organizationId, projectId }: Place): Promise<LimitsOf> {
    const [set] = await on.$queryRaw<
      (Record<keyof LimitsOf, Prisma.JsonValue> & { slug: string })[]
    >`
      SELECT o.limits AS organization, p.limits AS project, o.slug
      FROM "Organization" o LEFT JOIN "Project" p ON p.id = ${projectId}
      WHERE o.id = ${organizationId}`;
    return {
      organization: {
        ...(set?.slug === LIBRARY ? {} : this.usual),
        ...Limits.parse(set?.organization),
      },
      project: set?.project == null ? null : Limits.parse(set.project),
    };
  }
}

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

/** @param how.isThere what is requested is counted already */
async function excessOver(
  on: Queries,
  limits: readonly Limit[],
  { requested: amounts, isThere }: { requested: Partial<Amounts>; isThere: boolean },
): Promise<Excess | null> {
  for (const { place, limits: ofPlace, names } of limits) {
    const counted = await usedIn(on, place, names);
    for (const quota of names) {
      const { [quota]: limit = Number.POSITIVE_INFINITY } = ofPlace;
      const { [quota]: requested = 0 } = amounts;
      const total = rounded((counted[quota] ?? 0) + (isThere ? 0 : requested));
      if (total <= limit) continue;
      const of = place.projectId === null ? 'organization' : 'project';
      return { quota, of, limit, used: rounded(total - requested), requested };
    }
  }
  return null;
}

/** 0.1 and 0.2 CPUs are 0.3. */
function rounded(amount: number): number {
  return Number(amount.toFixed(6));
}
