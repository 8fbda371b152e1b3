import { Inject, Injectable } from '@nestjs/common';
import { type Database, newId, type Prisma } from '@slipway/db';
import type { Actor, Call } from '../access/call.ts';
import { type Caller, userOf } from '../access/caller.ts';
import { hashOfToken, newToken } from '../access/credential.ts';
import { requirePermission } from '../access/permissions.ts';
import type { OrganizationScope } from '../access/scope.store.ts';
import { AuditStore, type Target } from '../audit/audit.store.ts';
import { DATABASE } from '../platform.module.ts';
import { lockMembers, membershipInTurn } from './in-turn.ts';
import type { NewInvitation } from './invitation.schema.ts';
import { PERSON } from './member.store.ts';

const LASTS_MS = 7 * 86_400_000;
const WITH_INVITER = { invitedBy: PERSON } as const;
const WITH_ORGANIZATION = { organization: true } as const;

export type InvitationRow = Prisma.InvitationGetPayload<{ include: typeof WITH_INVITER }>;

/** What is open to whoever has its token, and is whom it is for. */
export type OpenInvitation = Prisma.InvitationGetPayload<{ include: typeof WITH_ORGANIZATION }>;

@Injectable()
export class InvitationStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(AuditStore) private readonly audit: AuditStore,
  ) {}

  /**
   * Takes the place of an earlier one for the same address.
   * @returns null: they are a member already
   * @throws AppError `not-found`, `forbidden`
   */
  create(
    scope: OrganizationScope,
    caller: Caller,
    { email, role }: NewInvitation,
  ): Promise<{ row: InvitationRow; token: string } | null> {
    const { organizationId } = scope;
    return this.database.transaction(async (tx) => {
      const callers = await membershipInTurn(tx, scope, caller);
      requirePermission(callers, role === 'owner' ? 'owners:write' : 'members:write');
      const members = await tx.membership.count({ where: { organizationId, user: { email } } });
      if (members > 0) return null;
      const isOver = { expiresAt: { lt: new Date() } };
      await tx.invitation.deleteMany({ where: { organizationId, OR: [{ email }, isOver] } });
      const token = newToken();
      const row = await tx.invitation.create({
        data: {
          ...{ id: newId('inv'), organizationId, email, role, invitedById: caller.userId },
          ...{ tokenHash: hashOfToken(token), expiresAt: new Date(Date.now() + LASTS_MS) },
        },
        include: WITH_INVITER,
      });
      await this.audit.record(tx, scope, targetOf(row), { role });
      return { row, token };
    });
  }

  /** Those that are open, the oldest first, behind the identifier `after`. */
  list(
    { organizationId }: OrganizationScope,
    { limit, after }: { limit: number; after: string },
  ): Promise<InvitationRow[]> {
    return this.database.prisma.invitation.findMany({
      where: { organizationId, id: { gt: after }, expiresAt: { gt: new Date() } },
      orderBy: { id: 'asc' },
      take: limit,
      include: WITH_INVITER,
    });
  }

  /** @returns false: there is none like that */
  withdraw(scope: OrganizationScope, id: string): Promise<boolean> {
    const where = { organizationId: scope.organizationId, id };
    return this.database.transaction(async (tx) => {
      const row = await tx.invitation.findFirst({ where });
      if (row === null) return false;
      const { count } = await tx.invitation.deleteMany({ where });
      if (count > 0) await this.audit.record(tx, scope, targetOf(row));
      return count > 0;
    });
  }

  /** @unscoped its token says what it is to. @returns null: there is none like that, or it is over */
  ofToken(token: string): Promise<OpenInvitation | null> {
    return this.database.prisma.invitation.findUnique({
      where: { tokenHash: hashOfToken(token), expiresAt: { gt: new Date() } },
      include: WITH_ORGANIZATION,
    });
  }

  /** @unscoped it is what makes somebody a member. @returns see `redeem` */
  accept(invitation: OpenInvitation, call: Call): Promise<string | null> {
    return this.database.transaction((tx) => this.redeem(tx, invitation, call));
  }

  /**
   * Makes who calls a member; who is one already stays what they are.
   * @unscoped it is what makes somebody a member
   * @returns their role; null: the invitation is over by now
   */
  async redeem(
    tx: Prisma.TransactionClient,
    invitation: OpenInvitation,
    call: Call<Actor>,
  ): Promise<string | null> {
    const { id, organizationId, role } = invitation;
    await lockMembers(tx, organizationId);
    const { count } = await tx.invitation.deleteMany({ where: { id } });
    if (count === 0) return null;
    const member = { organizationId, userId: userOf(call.caller) };
    const { role: theirs } = await tx.membership.upsert({
      where: { organizationId_userId: member },
      create: { ...member, role },
      update: {},
    });
    const place = { organizationId, projectId: null, call };
    await this.audit.record(tx, place, targetOf(invitation), { role: theirs });
    return theirs;
  }
}

function targetOf({ id, email }: { id: string; email: string }): Target {
  return { type: 'invitation', id, name: email };
}
