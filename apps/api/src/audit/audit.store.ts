import { Inject, Injectable } from '@nestjs/common';
import type { AuditRow } from '@slipway/audit';
import { type Database, newId, type Prisma, type Queries } from '@slipway/db';
import type { Actor, Call } from '../access/call.ts';
import type { OrganizationScope } from '../access/scope.store.ts';
import { DATABASE } from '../platform.module.ts';

/**
 * `succeeded`: it changed something, or had something done; `unchanged`: it was so already; `refused`: for
 * what the caller sent or may not, or what is; `failed`: for what went wrong with the platform.
 */
export const OUTCOMES = ['succeeded', 'unchanged', 'refused', 'failed'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What a call has to do with. */
export interface Target {
  /** as paths call it, e.g. `container` */
  type: string;
  id: string | null;
  name: string | null;
}

/** Where a call acts: a scope, or what one would be for. */
export interface Place {
  organizationId: string;
  projectId: string | null;
  /** null: the platform acts by itself, of which there are no records */
  call: Call<Actor> | null;
}

/** Things that are worth to be known of what was done, by their names; never what may be secret. */
export type Details = Readonly<Record<string, string>>;

export interface RecordFilter {
  operation?: string | undefined;
  outcome?: Outcome | undefined;
  /** a person's or a key's identifier */
  actor?: string | undefined;
}

/** Who did what in an organization, or was refused it. What is recorded stays as it is. */
@Injectable()
export class AuditStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /**
   * That the call of `place` has succeeded.
   * @param tx the transaction of what it has changed
   * @unscoped some calls make the organization, or somebody a member of it
   */
  async record(
    tx: Prisma.TransactionClient,
    place: Place,
    target: Target,
    details: Details = {},
  ): Promise<void> {
    if (place.call === null) return;
    place.call.isRecorded = true;
    await insert(tx, place, { outcome: 'succeeded', reason: null, target, details });
  }

  /** In each organization that they are of. @unscoped an account is of no organization */
  async recordOfPerson(
    tx: Prisma.TransactionClient,
    call: Call<Actor>,
    target: Target,
  ): Promise<void> {
    const { userId } = call.caller;
    if (userId === null) throw new Error('a key has no account');
    const memberships = await tx.membership.findMany({ where: { userId } });
    for (const { organizationId } of memberships) {
      await this.record(tx, { organizationId, projectId: null, call }, target);
    }
  }

  /**
   * That the call of `place` has changed nothing.
   * @param reason the problem's code; null: it was so already
   * @unscoped a person's own calls are recorded wherever they are
   */
  async recordUnchanged(
    place: Place,
    target: Target,
    { outcome, reason }: { outcome: Outcome; reason: string | null },
  ): Promise<void> {
    await insert(this.database.prisma, place, { outcome, reason, target, details: {} });
  }

  /** The newest first, those before the identifier `before` when there is one. */
  list(
    { organizationId }: OrganizationScope,
    { operation, outcome, actor }: RecordFilter,
    { limit, before }: { limit: number; before: string | null },
  ): Promise<AuditRow[]> {
    return this.database.prisma.auditRecord.findMany({
      where: {
        organizationId,
        ...(before === null ? {} : { id: { lt: before } }),
        ...(operation === undefined ? {} : { operation }),
        ...(outcome === undefined ? {} : { outcome }),
        ...(actor === undefined ? {} : { OR: [{ userId: actor }, { credentialId: actor }] }),
      },
      orderBy: { id: 'desc' },
      take: limit,
    });
  }

  /** What those who acted are called by now, by their identifiers: people's addresses, and names of keys. */
  async namesOf(
    { organizationId }: OrganizationScope,
    rows: readonly AuditRow[],
  ): Promise<Map<string, string>> {
    const [people, keys] = await Promise.all([
      this.database.prisma.user.findMany({
        where: { id: { in: rows.flatMap(({ userId }) => userId ?? []) } },
        select: { id: true, email: true },
      }),
      this.database.prisma.apiKey.findMany({
        where: { organizationId, id: { in: rows.map(({ credentialId }) => credentialId) } },
        select: { id: true, name: true },
      }),
    ]);
    return new Map([
      ...people.map(({ id, email }) => [id, email] as const),
      ...keys.map(({ id, name }) => [id, name] as const),
    ]);
  }
}

async function insert(
  on: Queries,
  { organizationId, projectId, call }: Place,
  what: { outcome: Outcome; reason: string | null; target: Target; details: Details },
): Promise<void> {
  if (call === null) throw new Error('nobody called for this');
  const { operation, requestId, ip, userAgent } = call;
  const { credentialId, userId } = call.caller;
  const { outcome, reason, target, details } = what;
  await on.auditRecord.create({
    data: {
      ...{ id: newId('aud'), organizationId, time: new Date() },
      ...{ operation: operation.name, outcome, reason },
      ...{ credentialId, userId, ip, userAgent, requestId, projectId, details },
      ...{ targetType: target.type, targetId: target.id, targetName: target.name },
    },
  });
}
