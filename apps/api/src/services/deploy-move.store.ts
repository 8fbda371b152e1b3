import { Inject, Injectable } from '@nestjs/common';
import { AppError, type ContainerSpec, ContainerSpecSchema } from '@slipway/contracts';
import type { Database, Prisma } from '@slipway/db';
import { type ContainerState, type DeployState, deployStatesBefore } from '@slipway/lifecycle';
import type { RoutePublisher } from '@slipway/routes';
import { ScopeStore } from '../access/scope.store.ts';
import { madeUpName, newEngineId } from '../containers/container.names.ts';
import { type ContainerRow, ContainerStore } from '../containers/container.store.ts';
import { NodeStore } from '../nodes/node.store.ts';
import { place } from '../placement/place.ts';
import { DATABASE, ROUTE_PUBLISHER } from '../platform.module.ts';
import { RouteStore } from '../routing/route.store.ts';
import {
  type DeployFailure,
  DeployPhase,
  type DeployReason,
  type PhaseName,
} from './deploy.schema.ts';
import type { Leaving } from './draining.ts';
import { type DeployView, nextMove } from './next-move.ts';
import { ended, entered } from './phases.ts';
import { ServiceTemplate } from './service.schema.ts';

type DeployRow = Prisma.DeployGetPayload<{
  include: { revision: true; service: true; containers: true };
}>;

/** What became of a deploy that was to be moved. */
export type Moved =
  /** or another replica has it */
  | { type: 'over' }
  /** to be looked at again then, though nothing is told of it */
  | { type: 'later'; at: Date }
  /** nothing yet: what its instance wrote last is to be told with that */
  | { type: 'failing'; instance: ContainerRow };

/** What an instance wrote last; null: its node does not say. */
export type LastLines = DeployFailure['lastLines'];

/** A container that is there for a deploy or a service that is not. */
export interface UnwantedContainer extends Leaving {
  id: string;
  projectId: string;
  requestId: string;
  /**
   * `drain`: another has its place, and stop it when it has answered its requests; `stop`: it never
   * had any; `remove`: its service is deleted, or nobody needs its logs any more
   */
  fate: 'drain' | 'stop' | 'remove';
}

/**
 * Brings deploys further. Locks are taken in this order: deploy, its containers, service, routes.
 *
 * @unscoped only the platform itself calls it
 */
@Injectable()
export class DeployMoveStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(ScopeStore) private readonly scopes: ScopeStore,
    @Inject(ContainerStore) private readonly containers: ContainerStore,
    @Inject(NodeStore) private readonly nodes: NodeStore,
    @Inject(RouteStore) private readonly routes: RouteStore,
    @Inject(ROUTE_PUBLISHER) private readonly publisher: RoutePublisher,
  ) {}

  unfinished(): Promise<{ id: string; requestId: string }[]> {
    return this.database.prisma.deploy.findMany({
      where: { state: { in: [...deployStatesBefore('failed')] } },
      orderBy: { id: 'asc' },
      select: { id: true, requestId: true },
    });
  }

  /** What a failed deploy leaves is kept, stopped, for its logs, until a newer one serves. */
  unwanted(): Promise<UnwantedContainer[]> {
    return this.database.prisma.$queryRaw<UnwantedContainer[]>`
      SELECT c.id, c."projectId", c."engineId", s."routeVersion"::float8 AS "routeVersion",
        coalesce(CASE d.state WHEN 'succeeded' THEN serving."requestId" END, d."requestId") AS "requestId",
        coalesce(greatest(d."finishedAt", serving."finishedAt"), now()) AS since,
        CASE WHEN s."deletedAt" IS NOT NULL OR c.desired = 'stopped' THEN 'remove'
          WHEN d.state IN ('succeeded', 'superseded') THEN 'drain' ELSE 'stop' END AS fate
      FROM "Container" c JOIN "Deploy" d ON d.id = c."deployId" JOIN "Service" s ON s.id = c."serviceId"
        LEFT JOIN "Deploy" serving ON serving.id = s."servingDeployId"
      WHERE c.desired <> 'removed' AND (s."deletedAt" IS NOT NULL
        OR d.id IS DISTINCT FROM serving.id AND d.state NOT IN ('queued', 'running')
          AND coalesce(serving.state, '') <> 'running' AND (c.desired = 'running'
            OR c.state IN ('exited', 'failed') AND (d.state = 'superseded' OR d.id < serving.id)))`;
  }

  /** Takes a deploy as far as it goes now. @param lastLines of one that was `failing` */
  async move(id: string, now: Date, lastLines?: LastLines): Promise<Moved> {
    try {
      return await this.database.transaction((tx) => this.#moveIn(tx, id, now, lastLines));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const { code, message } = error;
      const reason = code === 'quota-exceeded' ? code : 'not-placed'; // its node is full
      await this.database.transaction(async (tx) => {
        const deploy = await lockDeploy(tx, id);
        if (deploy !== null) await end(tx, deploy, { reason, message }, now);
      });
      return OVER;
    }
  }

  async #moveIn(
    tx: Prisma.TransactionClient,
    id: string,
    now: Date,
    lastLines: LastLines | undefined,
  ): Promise<Moved> {
    const deploy = await lockDeploy(tx, id);
    if (deploy === null) return OVER;
    const move = nextMove(await this.#viewOf(deploy), now);
    switch (move.type) {
      case 'place': {
        const nodeId = place(await this.nodes.candidates(), now);
        if (nodeId !== null) await this.#place(tx, deploy, nodeId, now);
        return { type: 'later', at: move.until };
      }
      case 'wait':
        await enter(tx, deploy, move.phase, now);
        return { type: 'later', at: move.until };
      case 'serve':
        await this.#serve(tx, deploy, now);
        return { type: 'later', at: now };
      case 'succeed':
        await end(tx, deploy, SUCCEEDED, now);
        return OVER;
      case 'fail': {
        const [instance] = deploy.containers;
        if (instance !== undefined && lastLines === undefined) return { type: 'failing', instance };
        await end(tx, deploy, move, now, lastLines);
        return OVER;
      }
    }
  }

  async #viewOf(deploy: DeployRow): Promise<DeployView> {
    const { id, state, createdAt, containers, service } = deploy;
    const [first] = containers;
    const instance =
      first === undefined ? null : { ...first, state: first.state as ContainerState };
    const { timeoutMs } = templateOf(deploy).health;
    const isServing = service.servingDeployId === id;
    return {
      ...{ state: state as DeployState, createdAt, healthTimeoutMs: timeoutMs, instance },
      ...{ isServing, isPublished: isServing && (await this.#isPublished(service)) },
    };
  }

  async #isPublished({ routeVersion }: DeployRow['service']): Promise<boolean> {
    const published = await this.publisher.version().catch(() => 0); // Redis is away
    return published >= Number(routeVersion);
  }

  async #place(
    tx: Prisma.TransactionClient,
    deploy: DeployRow,
    nodeId: string,
    now: Date,
  ): Promise<void> {
    const { revision, service, requestId } = deploy;
    const template = templateOf(deploy);
    const scope = await this.scopes.ofProject(service.projectId);
    const accepted = {
      ...{ engineId: newEngineId(), name: madeUpName(`${service.name}-${revision.number}`) },
      ...{ nodeId, image: template.image, repository: revision.repository },
      ...{ imageDigest: revision.imageDigest, labels: {}, spec: specOf(template), start: true },
      instanceOf: { serviceId: service.id, deployId: deploy.id },
    };
    await this.containers.createIn(tx, scope, accepted, { requestId });
    const begun = { state: 'running', startedAt: now };
    await tx.deploy.update({ where: { id: deploy.id }, data: begun });
    await enter(tx, deploy, 'pull', now);
  }

  /** From now on requests come to it, and it is started again whenever it ends. */
  async #serve(tx: Prisma.TransactionClient, deploy: DeployRow, now: Date): Promise<void> {
    const { id, serviceId } = deploy;
    await tx.container.updateMany({ where: { deployId: id }, data: { restartPolicy: 'always' } });
    await enter(tx, deploy, 'route', now);
    await tx.service.update({ where: { id: serviceId }, data: { servingDeployId: id } });
    await this.routes.change(tx, serviceId);
  }
}

const OVER: Moved = { type: 'over' };
const SUCCEEDED = { reason: 'completed', message: null } as const;

/** Nobody else can move it, nor can its containers change, until the end of the transaction. */
async function lockDeploy(tx: Prisma.TransactionClient, id: string): Promise<DeployRow | null> {
  const [locked] = await tx.$queryRaw<unknown[]>`SELECT id FROM "Deploy"
    WHERE id = ${id} AND state IN ('queued', 'running') FOR UPDATE SKIP LOCKED`;
  if (locked === undefined) return null;
  await tx.$queryRaw`SELECT id FROM "Container" WHERE "deployId" = ${id} FOR UPDATE`;
  // one relation at a time: a transaction is one connection, and Prisma reads several side by side
  const containers = await tx.container.findMany({ where: { deployId: id } });
  const { service } = await tx.deploy.findUniqueOrThrow({
    where: { id },
    select: { service: true },
  });
  const deploy = await tx.deploy.findUniqueOrThrow({ where: { id }, include: { revision: true } });
  return { ...deploy, service, containers };
}

async function enter(
  tx: Prisma.TransactionClient,
  deploy: DeployRow,
  name: PhaseName,
  now: Date,
): Promise<void> {
  const before = phasesOf(deploy);
  if (before.some((phase) => phase.name === name && phase.startedAt !== null)) return;
  const phases = [...entered(before, name, now)];
  await tx.deploy.update({ where: { id: deploy.id }, data: { phases } });
  await tell(tx, deploy);
}

async function end(
  tx: Prisma.TransactionClient,
  deploy: DeployRow,
  { reason, message }: { reason: DeployReason; message: string | null },
  now: Date,
  lastLines: LastLines = null,
): Promise<void> {
  const state = reason === 'completed' ? 'succeeded' : 'failed';
  const phases = [...ended(phasesOf(deploy), state, now)];
  const failure = state === 'failed' ? failureOf(deploy, lastLines) : null;
  const data = { state, reason, message, phases, finishedAt: now };
  await tx.deploy.update({
    where: { id: deploy.id },
    data: failure === null ? data : { ...data, failure },
  });
  await tell(tx, deploy);
}

function failureOf(deploy: DeployRow, lastLines: LastLines): DeployFailure | null {
  const [instance] = deploy.containers;
  if (instance === undefined) return null;
  const { state, exitCode, reason, message, unready } = instance;
  const { port, health } = templateOf(deploy);
  const { path = null, timeoutMs } = health;
  return {
    probe: { port, path, timeoutMs, message: unready },
    instance: { state, exitCode, reason, message },
    lastLines,
  };
}

async function tell(tx: Prisma.TransactionClient, { serviceId }: DeployRow): Promise<void> {
  await tx.$executeRaw`SELECT pg_notify('services', ${serviceId})`;
}

function phasesOf({ phases }: DeployRow): DeployPhase[] {
  return DeployPhase.array().parse(phases);
}

function templateOf({ revision }: DeployRow): ServiceTemplate {
  return ServiceTemplate.parse(revision.template);
}

function specOf({ image: _, port, health, ...given }: ServiceTemplate): ContainerSpec {
  return ContainerSpecSchema.parse({
    ...given,
    env: { PORT: String(port), ...given.env },
    probe: { port, path: health.path ?? null },
  });
}
