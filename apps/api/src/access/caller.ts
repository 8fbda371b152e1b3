import { AppError } from '@slipway/contracts';
import type { FastifyRequest } from 'fastify';
import type { Call } from './call.ts';
import { type Permission, permissionsOf, type Role } from './permissions.ts';
import type { OrganizationScope, ProjectScope } from './scope.store.ts';

/** Who calls: what a valid API key or session says of whoever has it. */
export interface Caller {
  /** the key (`key_…`) or the session (`ses_…`) */
  credentialId: string;
  /** `usr_…`; null: a key, which does not stand for who made it */
  userId: string | null;
  isOperator: boolean;
  /** where they may act; a key's is one */
  memberships: readonly Membership[];
}

export interface Membership {
  organizationId: string;
  /** a key's that is for one project only */
  projectId: string | null;
  /** null: a key's with scopes of its own */
  role: Role | null;
  permissions: readonly Permission[];
}

/** Of a person, or of the platform itself. */
export function membershipOf(organizationId: string, role: Role): Membership {
  return { organizationId, projectId: null, role, permissions: permissionsOf(role) };
}

/** What the caller is where a scope says that they may act. */
export function membershipIn(
  { credentialId, memberships }: Caller,
  { organizationId }: { organizationId: string },
): Membership {
  const found = memberships.find((one) => one.organizationId === organizationId);
  if (found !== undefined) return found;
  throw new Error(`${credentialId} has a scope in ${organizationId}, but is not of it`);
}

/**
 * Whether somebody may do all that they might before.
 * @param scope in which; null: anywhere
 */
export function mayStill(
  now: Caller,
  before: Caller,
  scope: { organizationId: string } | null,
): boolean {
  const mattered = before.memberships.filter(
    ({ organizationId }) => scope === null || organizationId === scope.organizationId,
  );
  const isLess = mattered.some(({ organizationId, permissions }) => {
    const found = now.memberships.find((one) => one.organizationId === organizationId);
    return permissions.some((permission) => !found?.permissions.includes(permission));
  });
  return !isLess && (now.isOperator || !before.isOperator);
}

/** @throws AppError `forbidden`: it is a key */
export function userOf({ userId }: Pick<Caller, 'userId'>): string {
  if (userId !== null) return userId;
  throw new AppError('forbidden', 'An API key is nobody’s: sign in for this.');
}

type Scope = OrganizationScope | ProjectScope;

const calls = new WeakMap<FastifyRequest, Call<Caller | null>>();
const scopes = new WeakMap<FastifyRequest, Scope>();

/** The guard's finding, for as long as the request lasts. */
export function setCall(request: FastifyRequest, call: Call<Caller | null>): void {
  calls.set(request, call);
}

export function callOf(request: FastifyRequest): Call<Caller | null> | null {
  return calls.get(request) ?? null;
}

/** The organization or the project of the route, in which the caller may act. */
export function setScope(request: FastifyRequest, scope: Scope): void {
  scopes.set(request, scope);
}

export function scopeOf(request: FastifyRequest): Scope | null {
  return scopes.get(request) ?? null;
}
