import { Inject, Injectable } from '@nestjs/common';
import type { Database, Prisma } from '@slipway/db';
import type { ProjectScope } from '../access/scope.store.ts';
import { DATABASE } from '../platform.module.ts';

export type RevisionRow = Prisma.RevisionGetPayload<object>;

/** The revisions of a project's service. */
@Injectable()
export class RevisionStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  find({ projectId }: ProjectScope, serviceId: string, id: string): Promise<RevisionRow | null> {
    return this.database.prisma.revision.findFirst({
      where: { id, serviceId, service: { projectId } },
    });
  }

  /** The newest first, those before the identifier `before` when there is one. */
  list(
    { projectId }: ProjectScope,
    serviceId: string,
    { limit, before }: { limit: number; before: string | null },
  ): Promise<RevisionRow[]> {
    return this.database.prisma.revision.findMany({
      where: {
        ...{ serviceId, service: { projectId } },
        ...(before === null ? {} : { id: { lt: before } }),
      },
      orderBy: { id: 'desc' },
      take: limit,
    });
  }
}
