import { Inject, Injectable } from '@nestjs/common';
import { type Database, isUniqueViolation, newId, type Prisma } from '@slipway/db';
import type { ProjectScope } from '../access/scope.store.ts';
import { AuditStore, type Target } from '../audit/audit.store.ts';
import type { ResolvedImage } from '../images/image-resolver.ts';
import { DATABASE } from '../platform.module.ts';
import { RouteStore } from '../routing/route.store.ts';
import {
  addDeploy,
  addRevision,
  endDeploys,
  type Interruption,
  lockDeploys,
} from './deploy-records.ts';
import type { ServiceTemplate } from './service.schema.ts';

const WITH_STATE = {
  servingDeploy: {
    select: {
      revisionId: true,
      // as RouteStore has it
      containers: {
        where: { desired: 'running', state: 'running', readyAt: { not: null } },
        select: { id: true },
      },
    },
  },
  deploys: { orderBy: { id: 'desc' }, take: 1, include: { revision: true } },
} as const satisfies Prisma.ServiceInclude;

export type ServiceRow = Prisma.ServiceGetPayload<{ include: typeof WITH_STATE }>;

/** A project's services, without deleted ones. */
@Injectable()
export class ServiceStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(AuditStore) private readonly audit: AuditStore,
    @Inject(RouteStore) private readonly routes: RouteStore,
  ) {}

  /** With its first revision, which is to be deployed. @returns null when a name is taken */
  async create(
    scope: ProjectScope,
    accepted: { name: string; template: ServiceTemplate; image: ResolvedImage },
    { requestId }: { requestId: string },
  ): Promise<ServiceRow | null> {
    const { organizationId, projectId } = scope;
    const { name, template, image } = accepted;
    const id = newId('svc');
    const label = `${name}-${id.slice(-LABEL_ID_LENGTH)}`;
    try {
      await this.database.transaction(async (tx) => {
        await tx.service.create({ data: { id, organizationId, projectId, name, label } });
        const revisionId = await addRevision(tx, id, { template, image });
        const deploy = await addDeploy(tx, { serviceId: id, revisionId, requestId });
        await this.routes.change(tx, id);
        await this.audit.record(tx, scope, targetOf({ id, name }), { deploy });
      });
    } catch (error) {
      if (isUniqueViolation(error)) return null;
      throw error;
    }
    return this.#withState(id);
  }

  find({ projectId }: ProjectScope, reference: string): Promise<ServiceRow | null> {
    return this.database.prisma.service.findFirst({
      where: { projectId, deletedAt: null, OR: [{ id: reference }, { name: reference }] },
      include: WITH_STATE,
    });
  }

  /** The oldest first, those behind the identifier `after`. */
  list(
    { projectId }: ProjectScope,
    { limit, after }: { limit: number; after: string },
  ): Promise<ServiceRow[]> {
    return this.database.prisma.service.findMany({
      where: { projectId, deletedAt: null, id: { gt: after } },
      orderBy: { id: 'asc' },
      take: limit,
      include: WITH_STATE,
    });
  }

  /** Its name and its host lead nowhere at once; its containers go soon. @returns null when it is deleted already */
  async delete(scope: ProjectScope, id: string): Promise<ServiceRow | null> {
    const { projectId } = scope;
    const isDone = await this.database.transaction(async (tx) => {
      await endDeploys(tx, await lockDeploys(tx, { id, projectId }), DELETED);
      const [deleted] = await tx.service.updateManyAndReturn({
        where: { id, projectId, deletedAt: null },
        data: { deletedAt: new Date() },
      });
      if (deleted === undefined) return false;
      await this.routes.change(tx, id);
      await this.audit.record(tx, scope, targetOf(deleted));
      return true;
    });
    return isDone ? this.#withState(id) : null;
  }

  #withState(id: string): Promise<ServiceRow> {
    return this.database.prisma.service.findUniqueOrThrow({ where: { id }, include: WITH_STATE });
  }
}

export function targetOf({ id, name }: { id: string; name: string }): Target {
  return { type: 'service', id, name };
}

const LABEL_ID_LENGTH = 6;

const DELETED: Interruption = {
  state: 'cancelled',
  reason: 'service-deleted',
  message: 'The service was deleted.',
};
