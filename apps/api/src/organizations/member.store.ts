import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import type { Database, Prisma, Queries } from '@slipway/db';
import { type Caller, userOf } from '../access/caller.ts';
import { notFound } from '../access/not-found.ts';
import { type Role, requirePermission } from '../access/permissions.ts';
import type { OrganizationScope } from '../access/scope.store.ts';
import { AuditStore, type Target } from '../audit/audit.store.ts';
import { DATABASE } from '../platform.module.ts';
import { membershipInTurn } from './in-turn.ts';

export const PERSON = { select: { id: true, email: true, name: true } } as const;
const WITH_USER = { user: PERSON } as const;

export type MemberRow = Prisma.MembershipGetPayload<{ include: typeof WITH_USER }>;

/** Who is of an organization, and as what. There is an owner always, once there was one. */
@Injectable()
export class MemberStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(AuditStore) private readonly audit: AuditStore,
  ) {}

  /** By their identifiers, those behind `after`. */
  list(
    { organizationId }: OrganizationScope,
    { limit, after }: { limit: number; after: string },
  ): Promise<MemberRow[]> {
    return this.database.prisma.membership.findMany({
      where: { organizationId, userId: { gt: after } },
      orderBy: { userId: 'asc' },
      take: limit,
      include: WITH_USER,
    });
  }

  /** @throws AppError `not-found`, `forbidden`, `state-conflict` */
  changeRole(
    scope: OrganizationScope,
    caller: Caller,
    { reference, role }: { reference: string; role: Role },
  ): Promise<MemberRow> {
    return this.database.transaction(async (tx) => {
      const callers = await membershipInTurn(tx, scope, caller);
      const member = await find(tx, scope, reference);
      requirePermission(callers, 'members:write');
      if (member.role === role) return member;
      if (role === 'owner' || member.role === 'owner') requirePermission(callers, 'owners:write');
      await letGo(tx, member);
      const { organizationId, userId } = member;
      const changed = await tx.membership.update({
        where: { organizationId_userId: { organizationId, userId } },
        data: { role },
        include: WITH_USER,
      });
      await this.audit.record(tx, scope, targetOf(member), { role, before: member.role });
      return changed;
    });
  }

  /** @throws AppError `not-found`, `forbidden`, `state-conflict` */
  remove(scope: OrganizationScope, caller: Caller, reference: string): Promise<void> {
    return this.database.transaction(async (tx) => {
      const callers = await membershipInTurn(tx, scope, caller);
      const member = await find(tx, scope, reference);
      requirePermission(callers, member.role === 'owner' ? 'owners:write' : 'members:write');
      await this.#end(tx, scope, member);
    });
  }

  /** @throws AppError `forbidden`, `state-conflict` */
  leave(scope: OrganizationScope, caller: Caller): Promise<void> {
    const userId = userOf(caller);
    return this.database.transaction(async (tx) => {
      await membershipInTurn(tx, scope, caller);
      await this.#end(tx, scope, await find(tx, scope, userId));
    });
  }

  /** And their keys with them. */
  async #end(
    tx: Prisma.TransactionClient,
    scope: OrganizationScope,
    member: MemberRow,
  ): Promise<void> {
    await letGo(tx, member);
    const { organizationId, userId } = member;
    await tx.apiKey.updateMany({
      where: { organizationId, createdById: userId, revokedAt: null },
      data: { revokedAt: new Date() },
    });
    await tx.membership.delete({ where: { organizationId_userId: { organizationId, userId } } });
    await this.audit.record(tx, scope, targetOf(member), { before: member.role });
  }
}

/** @param reference identifier or email address */
async function find(
  on: Queries,
  { organizationId }: OrganizationScope,
  reference: string,
): Promise<MemberRow> {
  const found = await on.membership.findFirst({
    where: {
      organizationId,
      user: { OR: [{ id: reference }, { email: reference.toLowerCase() }] },
    },
    include: WITH_USER,
  });
  if (found === null) throw notFound(`member ${reference} of this organization`);
  return found;
}

function targetOf({ user }: MemberRow): Target {
  return { type: 'user', id: user.id, name: user.email };
}

/** What they have invited others to is withdrawn: it was theirs to offer as what they were. */
async function letGo(tx: Prisma.TransactionClient, member: MemberRow): Promise<void> {
  const { organizationId, userId, role, user } = member;
  if (role === 'owner') {
    const owners = await tx.membership.count({ where: { organizationId, role } });
    if (owners === 1) throw new AppError('state-conflict', lastOwner(user.email));
  }
  await tx.invitation.deleteMany({ where: { organizationId, invitedById: userId } });
}

function lastOwner(email: string): string {
  return `${email} is the last owner of this organization: make somebody else one first.`;
}
