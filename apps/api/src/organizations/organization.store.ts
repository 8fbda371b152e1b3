import { Inject, Injectable } from '@nestjs/common';
import { type Database, isUniqueViolation, newId, type Prisma } from '@slipway/db';
import type { Call } from '../access/call.ts';
import { type Caller, userOf } from '../access/caller.ts';
import type { OrganizationScope } from '../access/scope.store.ts';
import { AuditStore, type Target } from '../audit/audit.store.ts';
import { DATABASE } from '../platform.module.ts';

export type OrganizationRow = Prisma.OrganizationGetPayload<object>;

@Injectable()
export class OrganizationStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(AuditStore) private readonly audit: AuditStore,
  ) {}

  /**
   * Theirs who calls for it.
   * @unscoped it is there for nobody before
   * @returns null: the slug is taken
   * @throws AppError `forbidden` to a key
   */
  async create(call: Call, named: { slug: string; name: string }): Promise<OrganizationRow | null> {
    const memberships = { create: { userId: userOf(call.caller), role: 'owner' } };
    const data = { id: newId('org'), ...named, memberships };
    try {
      return await this.database.transaction(async (tx) => {
        const row = await tx.organization.create({ data });
        const place = { organizationId: row.id, projectId: null, call };
        await this.audit.record(tx, place, targetOf(row));
        return row;
      });
    } catch (error) {
      if (isUniqueViolation(error)) return null;
      throw error;
    }
  }

  get({ organizationId }: OrganizationScope): Promise<OrganizationRow> {
    return this.database.prisma.organization.findUniqueOrThrow({ where: { id: organizationId } });
  }

  rename(scope: OrganizationScope, name: string): Promise<OrganizationRow> {
    return this.database.transaction(async (tx) => {
      const row = await tx.organization.update({
        where: { id: scope.organizationId },
        data: { name },
      });
      await this.audit.record(tx, scope, targetOf(row), { name });
      return row;
    });
  }

  /** The caller's, the oldest first, those behind the identifier `after`. */
  list(
    { memberships }: Caller,
    { limit, after }: { limit: number; after: string },
  ): Promise<OrganizationRow[]> {
    const ids = memberships
      .filter(({ projectId }) => projectId === null)
      .map(({ organizationId }) => organizationId);
    return this.database.prisma.organization.findMany({
      where: { id: { in: ids, gt: after } },
      orderBy: { id: 'asc' },
      take: limit,
    });
  }
}

function targetOf({ id, slug }: OrganizationRow): Target {
  return { type: 'organization', id, name: slug };
}
