import type { Prisma } from '@slipway/db';
import { type Caller, type Membership, membershipIn, membershipOf } from '../access/caller.ts';
import { callerOfKeyIn } from '../access/key.store.ts';
import { notFound } from '../access/not-found.ts';
import type { Role } from '../access/permissions.ts';
import type { OrganizationScope } from '../access/scope.store.ts';

/** Whatever changes who is of an organization does so one after the other. */
export async function lockMembers(
  tx: Prisma.TransactionClient,
  organizationId: string,
): Promise<void> {
  await tx.$queryRaw`SELECT id FROM "Organization" WHERE id = ${organizationId} FOR NO KEY UPDATE`;
}

/**
 * In turn with all else that changes who is of the organization.
 * @returns what the caller is in it by now
 * @throws AppError `not-found` when they are no longer of it, `unauthenticated` when their key has ended
 */
export async function membershipInTurn(
  tx: Prisma.TransactionClient,
  scope: OrganizationScope,
  caller: Caller,
): Promise<Membership> {
  const { organizationId, slug } = scope;
  await lockMembers(tx, organizationId);
  const { userId, credentialId } = caller;
  if (userId === null) return membershipIn(await callerOfKeyIn(tx, credentialId), scope);
  const id = { organizationId, userId };
  const found = await tx.membership.findUnique({ where: { organizationId_userId: id } });
  if (found === null) throw notFound(`organization ${slug}`);
  return membershipOf(organizationId, found.role as Role);
}
