import { Inject, Injectable } from '@nestjs/common';
import { type ContainerSpec, ContainerSpecSchema, type DesiredState } from '@slipway/contracts';
import { type Database, isUniqueViolation, newId, type Prisma } from '@slipway/db';
import { type ContainerState, statesBefore } from '@slipway/lifecycle';
import { nodeQueue } from '@slipway/queue';
import type { ProjectScope } from '../access/scope.store.ts';
import { AuditStore, type Target } from '../audit/audit.store.ts';
import { OutboxStore } from '../dispatch/outbox.store.ts';
import { AddressStore } from '../networks/address.store.ts';
import { DATABASE } from '../platform.module.ts';
import { QuotaStore } from '../quotas/quota.store.ts';
import { tellOf } from './container.news.ts';

export type ContainerRow = Prisma.ContainerGetPayload<object>;

/** A container as it was accepted. */
export interface AcceptedContainer {
  engineId: string;
  name: string;
  nodeId: string;
  image: string;
  repository: string;
  imageDigest: string;
  labels: Record<string, string>;
  spec: ContainerSpec;
  restartPolicy?: string;
  start: boolean;
  /** the deploy that it is an instance of */
  instanceOf?: { serviceId: string; deployId: string };
}

/** One that its restart policy begins a run of, at `restartAt`. */
export interface DueContainer {
  id: string;
  projectId: string;
  generation: number;
  restartAt: Date;
}

const FRESH_RUN = {
  ...{ exitCode: null, reason: null, message: null, startedAt: null, finishedAt: null },
  ...{ readyAt: null, unready: null },
  generation: { increment: 1 },
};

/** A run that somebody asked for. */
const ASKED_RUN = { ...FRESH_RUN, restartCount: 0 };

/** How to stop a program. */
export interface StopOptions {
  /** from its stop signal to its end; 0: no signal, its end */
  graceMs: number;
}

/** What tells of a request in every log. */
interface Trace {
  requestId: string;
}

/** A project's containers: what should be of them is written here, together with the command that says so. */
@Injectable()
export class ContainerStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(AuditStore) private readonly audit: AuditStore,
    @Inject(OutboxStore) private readonly outbox: OutboxStore,
    @Inject(AddressStore) private readonly addresses: AddressStore,
    @Inject(QuotaStore) private readonly quotas: QuotaStore,
  ) {}

  /** null: the name is taken. @throws AppError when its node has no address left, `quota-exceeded` */
  async create(
    scope: ProjectScope,
    accepted: AcceptedContainer,
    trace: Trace,
  ): Promise<ContainerRow | null> {
    try {
      return await this.database.transaction((tx) => this.createIn(tx, scope, accepted, trace));
    } catch (error) {
      if (isUniqueViolation(error)) return null;
      throw error;
    }
  }

  /** In the caller's transaction, which a taken name breaks. */
  async createIn(
    tx: Prisma.TransactionClient,
    scope: ProjectScope,
    { start, instanceOf, ...accepted }: AcceptedContainer,
    { requestId }: Trace,
  ): Promise<ContainerRow> {
    const desired: DesiredState = start ? 'running' : 'stopped';
    const generation = start ? 1 : 0;
    const { organizationId, projectId } = scope;
    const made = { id: newId('ctr'), organizationId, projectId, ...accepted, ...instanceOf };
    const row = await tx.container.create({ data: { ...made, requestId, desired, generation } });
    await this.addresses.assign(tx, scope, row);
    if (start) await tx.run.create({ data: { containerId: row.id, generation } });
    await this.quotas.requireRoom(tx, scope, { containers: 1, ...(start ? needsOf(row) : {}) });
    await this.#tell(tx, row);
    const { image, imageDigest } = row;
    await this.audit.record(tx, scope, targetOf(row), { image, imageDigest });
    return row;
  }

  /** @param reference an identifier, also of a removed one, or the name of one that is not to be removed */
  find({ projectId }: ProjectScope, reference: string): Promise<ContainerRow | null> {
    return this.database.prisma.container.findFirst({
      where: {
        projectId,
        OR: [{ id: reference }, { name: reference, desired: { not: 'removed' } }],
      },
    });
  }

  /** The oldest first, those behind the identifier `after`; without removed ones. */
  list(
    { projectId }: ProjectScope,
    { limit, after }: { limit: number; after: string },
  ): Promise<ContainerRow[]> {
    return this.database.prisma.container.findMany({
      where: { projectId, id: { gt: after }, state: { not: 'removed' } },
      orderBy: { id: 'asc' },
      take: limit,
    });
  }

  /**
   * A new run of one that rests.
   * @returns null when it does not rest (any more)
   * @throws AppError `quota-exceeded`
   */
  start(scope: ProjectScope, id: string, trace: Trace): Promise<ContainerRow | null> {
    const change = { state: 'pending', desired: 'running', data: ASKED_RUN, begins: true } as const;
    return this.#change(scope, id, change, trace);
  }

  /**
   * Those that their restart policy begins a run of, the next ones first.
   *
   * @unscoped of all projects, for the platform itself
   */
  async toRestart(atMost: number): Promise<DueContainer[]> {
    const rows = await this.database.prisma.container.findMany({
      where: { restartAt: { not: null } },
      orderBy: { restartAt: 'asc' },
      take: atMost,
      select: { id: true, projectId: true, generation: true, restartAt: true },
    });
    return rows.map(({ restartAt, ...row }) => ({ ...row, restartAt: restartAt ?? new Date(0) }));
  }

  /** The run after this one. @returns null when somebody else began it, or nobody wants it any more */
  runAgain(
    scope: ProjectScope,
    { id, generation }: { id: string; generation: number },
    trace: Trace,
  ): Promise<ContainerRow | null> {
    const wanted = { generation, restartAt: { not: null } };
    const data = { ...FRESH_RUN, restartCount: { increment: 1 } };
    const change = { state: 'pending', desired: 'running', data, wanted } as const;
    return this.#change(scope, id, change, trace);
  }

  /** Its restart policy begins no run after this one. @returns null when this one is over by now */
  async noteSignal(
    { projectId }: ProjectScope,
    { id, generation }: { id: string; generation: number },
  ): Promise<ContainerRow | null> {
    const [row] = await this.database.prisma.container.updateManyAndReturn({
      where: { id, projectId, generation, finishedAt: null },
      data: { signalledRun: generation },
    });
    return row ?? null;
  }

  /** That a signal has reached its program. */
  noteSent(scope: ProjectScope, row: ContainerRow): Promise<void> {
    return this.audit.record(this.database.prisma, scope, targetOf(row));
  }

  /** A new run of one that runs, once that has stopped. @returns null when it does not run (any more) */
  restart(
    scope: ProjectScope,
    id: string,
    { graceMs }: StopOptions,
    trace: Trace,
  ): Promise<ContainerRow | null> {
    const data = { ...ASKED_RUN, stopGraceMs: graceMs };
    return this.#change(scope, id, { state: 'restarting', desired: 'running', data }, trace);
  }

  /** Of one between two runs: no other begins. @returns null when there is nothing to stop (any more), or it stops as soon already */
  async stop(
    scope: ProjectScope,
    id: string,
    { graceMs }: StopOptions,
    trace: Trace,
  ): Promise<ContainerRow | null> {
    const wanted = { OR: [{ state: { not: 'stopping' } }, { stopGraceMs: { gt: graceMs } }] };
    const data = { stopGraceMs: graceMs };
    const change = { state: 'stopping', desired: 'stopped', data, wanted } as const;
    return (await this.#change(scope, id, change, trace)) ?? this.#rest(scope, id, trace);
  }

  /** @param from the states in which it may go. @returns null when it is in another (by now) */
  remove(
    scope: ProjectScope,
    id: string,
    from: readonly ContainerState[],
    trace: Trace,
  ): Promise<ContainerRow | null> {
    return this.#change(scope, id, { state: 'removing', desired: 'removed', from }, trace);
  }

  async #change(
    scope: ProjectScope,
    id: string,
    change: {
      state: ContainerState;
      desired: DesiredState;
      from?: readonly ContainerState[];
      data?: Prisma.ContainerUpdateManyMutationInput;
      /** what it has to be besides */
      wanted?: Prisma.ContainerWhereInput;
      /** it needs from now on what it runs with */
      begins?: boolean;
    },
    { requestId }: Trace,
  ): Promise<ContainerRow | null> {
    const { state, desired, from, data, wanted, begins = false } = change;
    const before = statesBefore(state).filter((known) => from?.includes(known) ?? true);
    return this.#write(
      scope,
      { id, state: { in: before }, ...wanted },
      { ...data, state, desired, requestId },
      begins,
    );
  }

  #rest(scope: ProjectScope, id: string, { requestId }: Trace) {
    const isBetweenRuns = { id, restartAt: { not: null } };
    return this.#write(scope, isBetweenRuns, { desired: 'stopped', requestId });
  }

  /** What is desired is another, so its restart policy waits for nothing any more. */
  #write(
    scope: ProjectScope,
    where: Prisma.ContainerWhereInput,
    data: Prisma.ContainerUpdateManyMutationInput,
    begins = false,
  ): Promise<ContainerRow | null> {
    return this.database.transaction(async (tx) => {
      const [row] = await tx.container.updateManyAndReturn({
        where: { ...where, projectId: scope.projectId },
        data: { ...data, restartAt: null },
      });
      if (row === undefined) return null;
      if (data.generation !== undefined) {
        await tx.run.create({ data: { containerId: row.id, generation: row.generation } });
      }
      if (begins) await this.quotas.requireRoom(tx, scope, needsOf(row));
      await this.#tell(tx, row);
      await this.audit.record(tx, scope, targetOf(row));
      return row;
    });
  }

  async #tell(tx: Prisma.TransactionClient, row: ContainerRow): Promise<void> {
    const { nodeId, engineId, requestId } = row;
    await this.outbox.add(tx, nodeQueue(nodeId), { engineId, requestId });
    await tellOf(tx, row.id);
  }
}

/** while it runs */
function needsOf({ spec }: ContainerRow): { cpus: number; memoryBytes: number } {
  const { cpus, memoryBytes } = ContainerSpecSchema.parse(spec);
  return { cpus, memoryBytes };
}

function targetOf({ id, name }: ContainerRow): Target {
  return { type: 'container', id, name };
}
