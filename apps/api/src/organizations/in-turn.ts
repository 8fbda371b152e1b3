import type { Prisma } from '@slipway/db';
import type { Caller } from '../access/caller.ts';
import { notFound } from '../access/not-found.ts';
import { type Role, roleIn } from '../access/permissions.ts';
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
 * @throws AppError `not-found` when they are no longer of it
 */
export async function roleInTurn(
  tx: Prisma.TransactionClient,
  { organizationId, slug }: OrganizationScope,
  caller: Caller,
): Promise<Role> {
  await lockMembers(tx, organizationId);
  const { userId } = caller;
  if (userId === null) return known(roleIn(caller, organizationId), slug);
  const id = { organizationId, userId };
  const found = await tx.membership.findUnique({ where: { organizationId_userId: id } });
  return known((found?.role ?? null) as Role | null, slug);
}

function known(role: Role | null, slug: string): Role {
  if (role !== null) return role;
  throw notFound(`organization ${slug}`);
}
