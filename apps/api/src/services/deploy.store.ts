import { Inject, Injectable } from '@nestjs/common';
import type { Database, Prisma } from '@slipway/db';
import type { ProjectScope } from '../access/scope.store.ts';
import { DATABASE } from '../platform.module.ts';

const WITH_INSTANCE = {
  revision: { select: { imageDigest: true } },
  containers: {
    where: { desired: { not: 'removed' } },
    select: { id: true },
    orderBy: { id: 'desc' },
    take: 1,
  },
} as const satisfies Prisma.DeployInclude;

export type DeployRow = Prisma.DeployGetPayload<{ include: typeof WITH_INSTANCE }>;

/** The deploys of a project's service. */
@Injectable()
export class DeployStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  find({ projectId }: ProjectScope, serviceId: string, id: string): Promise<DeployRow | null> {
    return this.database.prisma.deploy.findFirst({
      where: { id, serviceId, service: { projectId } },
      include: WITH_INSTANCE,
    });
  }

  /** The newest first, those before the identifier `before` when there is one. */
  list(
    { projectId }: ProjectScope,
    serviceId: string,
    { limit, before }: { limit: number; before: string | null },
  ): Promise<DeployRow[]> {
    return this.database.prisma.deploy.findMany({
      where: {
        ...{ serviceId, service: { projectId } },
        ...(before === null ? {} : { id: { lt: before } }),
      },
      orderBy: { id: 'desc' },
      take: limit,
      include: WITH_INSTANCE,
    });
  }
}
