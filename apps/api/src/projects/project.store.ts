import { Inject, Injectable } from '@nestjs/common';
import { type Database, isUniqueViolation, newId, type Prisma } from '@slipway/db';
import type { OrganizationScope, ProjectScope } from '../access/scope.store.ts';
import { AuditStore } from '../audit/audit.store.ts';
import { DATABASE } from '../platform.module.ts';

const WITH_ORGANIZATION = { organization: { select: { slug: true } } } as const;

export type ProjectRow = Prisma.ProjectGetPayload<{ include: typeof WITH_ORGANIZATION }>;

@Injectable()
export class ProjectStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(AuditStore) private readonly audit: AuditStore,
  ) {}

  /** null: the slug is taken */
  async create(
    scope: OrganizationScope,
    named: { slug: string; name: string },
  ): Promise<ProjectRow | null> {
    const { organizationId } = scope;
    try {
      return await this.database.transaction(async (tx) => {
        const row = await tx.project.create({
          data: { id: newId('prj'), organizationId, ...named },
          include: WITH_ORGANIZATION,
        });
        const { id, slug } = row;
        await this.audit.record(tx, scope, { type: 'project', id, name: slug });
        return row;
      });
    } catch (error) {
      if (isUniqueViolation(error)) return null;
      throw error;
    }
  }

  get({ projectId }: ProjectScope): Promise<ProjectRow> {
    return this.database.prisma.project.findUniqueOrThrow({
      where: { id: projectId },
      include: WITH_ORGANIZATION,
    });
  }

  /** The oldest first, those behind the identifier `after`. */
  list(
    { organizationId }: OrganizationScope,
    { limit, after }: { limit: number; after: string },
  ): Promise<ProjectRow[]> {
    return this.database.prisma.project.findMany({
      where: { organizationId, id: { gt: after } },
      orderBy: { id: 'asc' },
      take: limit,
      include: WITH_ORGANIZATION,
    });
  }
}
