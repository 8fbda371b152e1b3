import { Inject, Injectable } from '@nestjs/common';
import { type Database, isUniqueViolation, newId, type Prisma } from '@slipway/db';
import type { Caller } from '../access/caller.ts';
import type { OrganizationScope } from '../access/scope.store.ts';
import { DATABASE } from '../platform.module.ts';

export type OrganizationRow = Prisma.OrganizationGetPayload<object>;

@Injectable()
export class OrganizationStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /**
   * Theirs who makes it.
   * @unscoped it is there for nobody before
   * @returns null: the slug is taken
   */
  async create(
    userId: string,
    named: { slug: string; name: string },
  ): Promise<OrganizationRow | null> {
    const memberships = { create: { userId, role: 'owner' } };
    try {
      return await this.database.prisma.organization.create({
        data: { id: newId('org'), ...named, memberships },
      });
    } catch (error) {
      if (isUniqueViolation(error)) return null;
      throw error;
    }
  }

  get({ organizationId }: OrganizationScope): Promise<OrganizationRow> {
    return this.database.prisma.organization.findUniqueOrThrow({ where: { id: organizationId } });
  }

  rename({ organizationId }: OrganizationScope, name: string): Promise<OrganizationRow> {
    return this.database.prisma.organization.update({
      where: { id: organizationId },
      data: { name },
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
