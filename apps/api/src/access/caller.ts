import type { FastifyRequest } from 'fastify';

/** Who calls: what a valid API key says of its owner. */
export interface Caller {
  apiKeyId: string;
  organizationId: string;
  /** `owner`, `admin`, `developer`, `viewer` */
  role: string;
  isOperator: boolean;
}

const callers = new WeakMap<FastifyRequest, Caller>();

/** The guard's finding, for as long as the request lasts. */
export function setCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller);
}

export function callerOf(request: FastifyRequest): Caller | null {
  return callers.get(request) ?? null;
}
