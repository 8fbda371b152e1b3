import { AppError } from '@slipway/contracts';
import type { FastifyRequest } from 'fastify';
import type { Role } from './permissions.ts';
import type { OrganizationScope, ProjectScope } from './scope.store.ts';

/** Who calls: what a valid API key or session says of whoever has it. */
export interface Caller {
  /** the key (`key_…`) or the session (`ses_…`) */
  credentialId: string;
  /** `usr_…`; null: a key, which is an organization's and nobody's */
  userId: string | null;
  isOperator: boolean;
  /** where they may act; a key's is one */
  memberships: readonly Membership[];
}

export interface Membership {
  organizationId: string;
  role: Role;
}

/** @throws AppError `forbidden`: it is a key */
export function userOf({ userId }: Caller): string {
  if (userId !== null) return userId;
  throw new AppError('forbidden', 'An API key is nobody’s: sign in for this.');
}

type Scope = OrganizationScope | ProjectScope;

const callers = new WeakMap<FastifyRequest, Caller>();
const scopes = new WeakMap<FastifyRequest, Scope>();

/** The guard's finding, for as long as the request lasts. */
export function setCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller);
}

export function callerOf(request: FastifyRequest): Caller | null {
  return callers.get(request) ?? null;
}

/** The organization or the project of the route, which the caller may use. */
export function setScope(request: FastifyRequest, scope: Scope): void {
  scopes.set(request, scope);
}

export function scopeOf(request: FastifyRequest): Scope | null {
  return scopes.get(request) ?? null;
}
