import { Inject, Injectable } from '@nestjs/common';
import { type Database, isUniqueViolation, newId, type Prisma } from '@slipway/db';
import { deployStatesBefore } from '@slipway/lifecycle';
import type { ProjectScope } from '../access/scope.store.ts';
import type { ResolvedImage } from '../images/image-resolver.ts';
import { DATABASE } from '../platform.module.ts';
import { RouteStore } from '../routing/route.store.ts';
import { DeployPhase } from './deploy.schema.ts';
import { ended, WAITING } from './phases.ts';
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
  revisions: { orderBy: { number: 'desc' }, take: 1 },
  deploys: { orderBy: { id: 'desc' }, take: 1 },
} as const satisfies Prisma.ServiceInclude;

export type ServiceRow = Prisma.ServiceGetPayload<{ include: typeof WITH_STATE }>;

/** A project's services, without deleted ones. */
@Injectable()
export class ServiceStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(RouteStore) private readonly routes: RouteStore,
  ) {}

  /** With its first revision, which is to be deployed. @returns null when a name is taken */
  async create(
    { organizationId, projectId }: ProjectScope,
    accepted: { name: string; template: ServiceTemplate; image: ResolvedImage },
    { requestId }: { requestId: string },
  ): Promise<ServiceRow | null> {
    const { name, template, image } = accepted;
    const id = newId('svc');
    const revisionId = newId('rev');
    const label = `${name}-${id.slice(-LABEL_ID_LENGTH)}`;
    try {
      await this.database.transaction(async (tx) => {
        await tx.service.create({ data: { id, organizationId, projectId, name, label } });
        await tx.revision.create({
          data: {
            ...{ id: revisionId, serviceId: id, number: 1, template },
            ...{ repository: image.repository, imageDigest: image.digest },
          },
        });
        await tx.deploy.create({
          data: { id: newId('dep'), serviceId: id, revisionId, requestId, phases: [...WAITING] },
        });
        await this.routes.change(tx, id);
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
  async delete({ projectId }: ProjectScope, id: string): Promise<ServiceRow | null> {
    const isDone = await this.database.transaction(async (tx) => {
      await cancelDeploys(tx, { id, projectId });
      const { count } = await tx.service.updateMany({
        where: { id, projectId, deletedAt: null },
        data: { deletedAt: new Date() },
      });
      if (count > 0) await this.routes.change(tx, id);
      return count > 0;
    });
    return isDone ? this.#withState(id) : null;
  }

  #withState(id: string): Promise<ServiceRow> {
    return this.database.prisma.service.findUniqueOrThrow({ where: { id }, include: WITH_STATE });
  }
}

const LABEL_ID_LENGTH = 6;

async function cancelDeploys(
  tx: Prisma.TransactionClient,
  service: { id: string; projectId: string },
): Promise<void> {
  await tx.$queryRaw`SELECT d.id FROM "Deploy" d JOIN "Service" s ON s.id = d."serviceId"
    WHERE s.id = ${service.id} AND s."projectId" = ${service.projectId} FOR UPDATE OF d`;
  const unfinished = await tx.deploy.findMany({
    where: { service, state: { in: [...deployStatesBefore('cancelled')] } },
  });
  const now = new Date();
  for (const { id, phases } of unfinished) {
    const how = { reason: 'service-deleted', message: 'The service was deleted.' };
    const left = ended(DeployPhase.array().parse(phases), 'cancelled', now);
    const data = { state: 'cancelled', ...how, phases: [...left], finishedAt: now };
    await tx.deploy.update({ where: { id }, data });
  }
}
