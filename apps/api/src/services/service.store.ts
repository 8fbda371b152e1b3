import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { type Database, isUniqueViolation, newId, type Prisma } from '@slipway/db';
import { deployStatesBefore } from '@slipway/lifecycle';
import type { ProjectScope } from '../access/scope.store.ts';
import type { ResolvedImage } from '../images/image-resolver.ts';
import { DATABASE } from '../platform.module.ts';
import { RouteStore } from '../routing/route.store.ts';
import { DeployPhase } from './deploy.schema.ts';
import { ended, WAITING } from './phases.ts';
import { ServiceTemplate } from './service.schema.ts';

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
    const label = `${name}-${id.slice(-LABEL_ID_LENGTH)}`;
    try {
      await this.database.transaction(async (tx) => {
        await tx.service.create({ data: { id, organizationId, projectId, name, label } });
        const revisionId = await addRevision(tx, id, { number: 1, template, image });
        await addDeploy(tx, { serviceId: id, revisionId, requestId });
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

  /**
   * Deploys what the newest deploy's revision becomes by `change`, in place of a deploy that is not
   * over; nothing when that is what is deployed, or under way, already.
   * @returns null when it is deleted
   */
  async change(
    { projectId }: ProjectScope,
    id: string,
    change: (current: ServiceTemplate) => ChangedTemplate,
    { requestId }: { requestId: string },
  ): Promise<{ row: ServiceRow; isChanged: boolean } | null> {
    const isChanged = await this.database.transaction(async (tx) => {
      const service = { id, projectId, deletedAt: null };
      const unfinished = await lockDeploys(tx, service);
      if ((await tx.service.findFirst({ where: service })) === null) return null;
      const newest = { orderBy: { id: 'desc' }, include: { revision: true } } as const;
      const last = await tx.deploy.findFirstOrThrow({ where: { serviceId: id }, ...newest });
      const current = ServiceTemplate.parse(last.revision.template);
      const { template, image = imageOf(last.revision) } = change(current);
      const isSame =
        isDeepStrictEqual(template, current) && image.digest === last.revision.imageDigest;
      if (isSame && ['queued', 'running', 'succeeded'].includes(last.state)) return false;
      await endAll(tx, unfinished, SUPERSEDED);
      const { _max } = await tx.revision.aggregate({
        where: { serviceId: id },
        _max: { number: true },
      });
      const number = (_max.number ?? 0) + 1;
      const revisionId = isSame
        ? last.revisionId
        : await addRevision(tx, id, { number, template, image });
      await addDeploy(tx, { serviceId: id, revisionId, requestId });
      await tx.$executeRaw`SELECT pg_notify('services', ${id})`;
      return true;
    });
    return isChanged === null ? null : { row: await this.#withState(id), isChanged };
  }

  /** Its name and its host lead nowhere at once; its containers go soon. @returns null when it is deleted already */
  async delete({ projectId }: ProjectScope, id: string): Promise<ServiceRow | null> {
    const isDone = await this.database.transaction(async (tx) => {
      await endAll(tx, await lockDeploys(tx, { id, projectId }), DELETED);
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
/** With the service: any number that nothing else in this database locks. */
const LOCK = 7_782;

type Deploy = Prisma.DeployGetPayload<object>;
type Revision = Prisma.RevisionGetPayload<object>;

const SUPERSEDED = {
  state: 'superseded',
  ...{ reason: 'superseded', message: 'A newer deploy took its place.' },
} as const;
const DELETED = {
  state: 'cancelled',
  ...{ reason: 'service-deleted', message: 'The service was deleted.' },
} as const;

/** What the tenant wants, without the image when that is to stay. */
export interface ChangedTemplate {
  template: ServiceTemplate;
  image?: ResolvedImage;
}

/**
 * Until the end of the transaction nobody else begins or ends a deploy of the service.
 * @returns those that are not over
 */
async function lockDeploys(
  tx: Prisma.TransactionClient,
  { id, projectId }: { id: string; projectId: string },
): Promise<Deploy[]> {
  // not the service's row: who moves a deploy locks that after the deploy
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${LOCK}::int, hashtext(${id}))`;
  await tx.$queryRaw`SELECT d.id FROM "Deploy" d JOIN "Service" s ON s.id = d."serviceId"
    WHERE s.id = ${id} AND s."projectId" = ${projectId} FOR UPDATE OF d`;
  return tx.deploy.findMany({
    where: { service: { id, projectId }, state: { in: [...deployStatesBefore('superseded')] } },
  });
}

async function endAll(
  tx: Prisma.TransactionClient,
  deploys: readonly Deploy[],
  how: typeof SUPERSEDED | typeof DELETED,
): Promise<void> {
  const finishedAt = new Date();
  for (const { id, phases } of deploys) {
    const left = ended(DeployPhase.array().parse(phases), 'cancelled', finishedAt);
    await tx.deploy.update({ where: { id }, data: { ...how, phases: [...left], finishedAt } });
  }
}

async function addRevision(
  tx: Prisma.TransactionClient,
  serviceId: string,
  revision: { number: number; template: ServiceTemplate; image: ResolvedImage },
): Promise<string> {
  const { number, template, image } = revision;
  const id = newId('rev');
  const { repository, digest: imageDigest } = image;
  await tx.revision.create({ data: { id, serviceId, number, template, repository, imageDigest } });
  return id;
}

async function addDeploy(
  tx: Prisma.TransactionClient,
  deploy: { serviceId: string; revisionId: string; requestId: string },
): Promise<void> {
  await tx.deploy.create({ data: { id: newId('dep'), ...deploy, phases: [...WAITING] } });
}

function imageOf({ repository, imageDigest }: Revision): ResolvedImage {
  return { repository, digest: imageDigest };
}
