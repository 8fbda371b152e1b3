import type { FastifyRequest } from 'fastify';
import type { ProjectScope } from './project-scope.store.ts';

/** Who calls: what a valid API key says of its owner. */
export interface Caller {
  apiKeyId: string;
  organizationId: string;
  /** `owner`, `admin`, `developer`, `viewer` */
  role: string;
  isOperator: boolean;
}

const callers = new WeakMap<FastifyRequest, Caller>();
const scopes = new WeakMap<FastifyRequest, ProjectScope>();

/** The guard's finding, for as long as the request lasts. */
export function setCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller);
}

export function callerOf(request: FastifyRequest): Caller | null {
  return callers.get(request) ?? null;
}

/** The project of a project's route, which the caller may use. */
export function setScope(request: FastifyRequest, scope: ProjectScope): void {
  scopes.set(request, scope);
}

export function scopeOf(request: FastifyRequest): ProjectScope | null {
  return scopes.get(request) ?? null;
}
