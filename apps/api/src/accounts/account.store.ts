import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { SlugSchema } from '@slipway/contracts';
import { type Database, newId, type Prisma } from '@slipway/db';
import { type Client, SessionStore } from '../access/session.store.ts';
import { invalid } from '../http/validate.ts';
import { type OpenInvitation, redeem } from '../organizations/invitation.store.ts';
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
  ) {}

  /**
   * With an organization and a project of their own, and of that which they are invited to.
   * @returns their identifier; null: the address is taken
   * @throws AppError `invalid-request` when the invitation is over by now
   */
  create(
    account: { email: string; name: string; passwordHash: string },
    invitation: OpenInvitation | null,
  ): Promise<string | null> {
    return this.database.transaction(async (tx) => {
      const id = newId('usr');
      // a violated index would end the transaction
      const { count } = await tx.user.createMany({
        data: { id, ...account },
        skipDuplicates: true,
      });
      if (count === 0) return null;
      const organizationId = await createOrganization(tx, account.name);
      await tx.membership.create({ data: { organizationId, userId: id, role: 'owner' } });
      await tx.project.create({ data: { id: newId('prj'), organizationId, ...FIRST_PROJECT } });
      if (invitation !== null && (await redeem(tx, invitation, id)) === null) {
        throw invalid('invitation', 'is over');
      }
      return id;
    });
  }

  /** @returns the token of a new session; null: their password is another one by now */
  beginSession({ id, passwordHash }: Account, client: Client): Promise<string | null> {
    return this.database.transaction(async (tx) => {
      // a change of password waits for us, and ends this session too
      const found = await tx.$queryRaw<unknown[]>`
        SELECT FROM "User" WHERE id = ${id} AND "passwordHash" = ${passwordHash} FOR SHARE`;
      return found.length === 0 ? null : this.sessions.begin(id, client, tx);
    });
  }

  /**
   * And ends all sessions: who changes a password may do so because somebody else knows it.
   * @param account with its present password
   * @returns the token of a new session; null: their password is another one by now
   */
  changePassword(account: Account, passwordHash: string, client: Client): Promise<string | null> {
    const { id } = account;
    return this.database.transaction(async (tx) => {
      const where = { id, passwordHash: account.passwordHash };
      const { count } = await tx.user.updateMany({ where, data: { passwordHash } });
      if (count === 0) return null;
      await tx.session.deleteMany({ where: { userId: id } });
      return this.sessions.begin(id, client, tx);
    });
  }

  withEmail(email: string): Promise<Account | null> {
    return this.database.prisma.user.findUnique({ where: { email }, select: ACCOUNT });
  }

  withId(id: string): Promise<Account> {
    return this.database.prisma.user.findUniqueOrThrow({ where: { id }, select: ACCOUNT });
  }
}

/** Its slug is like its name, with something behind it when that is taken. */
async function createOrganization(tx: Prisma.TransactionClient, name: string): Promise<string> {
  const id = newId('org');
  const usual = slugOf(name);
  for (let slug = usual; ; slug = `${usual}-${randomBytes(SUFFIX_BYTES).toString('hex')}`) {
    const { count } = await tx.organization.createMany({
      data: { id, slug, name },
      skipDuplicates: true,
    });
    if (count > 0) return id;
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
