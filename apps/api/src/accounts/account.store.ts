import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { SlugSchema } from '@slipway/contracts';
import { type Database, newId, type Prisma } from '@slipway/db';
import type { Call } from '../access/call.ts';
import { hashOfToken } from '../access/credential.ts';
import { SessionStore } from '../access/session.store.ts';
import { AuditStore, type Target } from '../audit/audit.store.ts';
import { invalid } from '../http/validate.ts';
import { InvitationStore, type OpenInvitation } from '../organizations/invitation.store.ts';
import { DATABASE } from '../platform.module.ts';

const FIRST_PROJECT = { slug: 'default', name: 'Default' };
const SUFFIX_BYTES = 3;
const ACCOUNT = { id: true, email: true, passwordHash: true } as const;

export interface Account {
  /** `usr_…` */
  id: string;
  email: string;
  passwordHash: string;
}

/** @unscoped a person is there before any organization of theirs */
@Injectable()
export class AccountStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(SessionStore) private readonly sessions: SessionStore,
    @Inject(InvitationStore) private readonly invitations: InvitationStore,
    @Inject(AuditStore) private readonly audit: AuditStore,
  ) {}

  /**
   * With an organization and a project of their own, of that which they are invited to, and signed in.
   * @returns the token of a session; null: the address is taken
   * @throws AppError `invalid-request` when the invitation is over by now
   */
  create(
    account: { email: string; name: string; passwordHash: string },
    invitation: OpenInvitation | null,
    call: Call<null>,
  ): Promise<string | null> {
    return this.database.transaction(async (tx) => {
      const id = newId('usr');
      // a violated index would end the transaction
      const { count } = await tx.user.createMany({
        data: { id, ...account },
        skipDuplicates: true,
      });
      if (count === 0) return null;
      const { id: credentialId, token } = await this.sessions.begin(tx, id, call);
      const by = call.by({ credentialId, userId: id });
      const organization = await createOrganization(tx, account.name);
      const { id: organizationId } = organization;
      const place = { organizationId, projectId: null, call: by };
      await this.audit.record(tx, place, { type: 'organization', ...organization });
      await tx.membership.create({ data: { organizationId, userId: id, role: 'owner' } });
      await tx.project.create({ data: { id: newId('prj'), organizationId, ...FIRST_PROJECT } });
      if (invitation !== null && (await this.invitations.redeem(tx, invitation, by)) === null) {
        throw invalid('invitation', 'is over');
      }
      return token;
    });
  }

  /** @returns the token of a new session; null: their password is another one by now */
  beginSession({ id, passwordHash }: Account, call: Call<null>): Promise<string | null> {
    return this.database.transaction(async (tx) => {
      // a change of password waits for us, and ends this session too
      const found = await tx.$queryRaw<unknown[]>`
        SELECT FROM "User" WHERE id = ${id} AND "passwordHash" = ${passwordHash} FOR SHARE`;
      if (found.length === 0) return null;
      const { id: credentialId, token } = await this.sessions.begin(tx, id, call);
      const by = call.by({ credentialId, userId: id });
      await this.audit.recordOfPerson(tx, by, sessionTarget(credentialId));
      return token;
    });
  }

  /**
   * And ends all sessions: who changes a password may do so because somebody else knows it.
   * @param account with its present password
   * @returns the token of a new session; null: their password is another one by now
   */
  changePassword(account: Account, passwordHash: string, call: Call): Promise<string | null> {
    const { id, email } = account;
    return this.database.transaction(async (tx) => {
      const where = { id, passwordHash: account.passwordHash };
      const { count } = await tx.user.updateMany({ where, data: { passwordHash } });
      if (count === 0) return null;
      await tx.session.deleteMany({ where: { userId: id } });
      await this.audit.recordOfPerson(tx, call, { type: 'user', id, name: email });
      return (await this.sessions.begin(tx, id, call)).token;
    });
  }

  /** @returns false: there is none like that, or it is somebody else's */
  endSession(userId: string, id: string, call: Call): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const { count } = await tx.session.deleteMany({ where: { id, userId } });
      if (count > 0) await this.audit.recordOfPerson(tx, call, sessionTarget(id));
      return count > 0;
    });
  }

  /** Nothing when there is no such session. */
  async signOut(token: string, call: Call<null>): Promise<void> {
    await this.database.transaction(async (tx) => {
      const found = await tx.session.findUnique({ where: { tokenHash: hashOfToken(token) } });
      if (found === null) return;
      const { id, userId } = found;
      const { count } = await tx.session.deleteMany({ where: { id } });
      if (count === 0) return;
      const by = call.by({ credentialId: id, userId });
      await this.audit.recordOfPerson(tx, by, sessionTarget(id));
    });
  }

  withEmail(email: string): Promise<Account | null> {
    return this.database.prisma.user.findUnique({ where: { email }, select: ACCOUNT });
  }

  withId(id: string): Promise<Account> {
    return this.database.prisma.user.findUniqueOrThrow({ where: { id }, select: ACCOUNT });
  }
}

function sessionTarget(id: string): Target {
  return { type: 'session', id, name: null };
}

/** Its slug is like its name, with something behind it when that is taken. @returns its slug as its name */
async function createOrganization(
  tx: Prisma.TransactionClient,
  name: string,
): Promise<{ id: string; name: string }> {
  const id = newId('org');
  const usual = slugOf(name);
  for (let slug = usual; ; slug = `${usual}-${randomBytes(SUFFIX_BYTES).toString('hex')}`) {
    const { count } = await tx.organization.createMany({
      data: { id, slug, name },
      skipDuplicates: true,
    });
    if (count > 0) return { id, name: slug };
  }
}

/** `Ada Lovelace` → `ada-lovelace` */
function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 30)
    .replace(/-$/, '');
  return SlugSchema.safeParse(slug).success ? slug : 'team';
}
