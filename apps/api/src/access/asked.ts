import type { FastifyRequest } from 'fastify';
import type { Caller } from './caller.ts';
import type { ProjectScope } from './scope.store.ts';

/** Who asks, in which project, and what finds the request in all logs. */
export interface Asked {
  caller: Caller;
  scope: ProjectScope;
  requestId: string;
}

/** @param input of a project's route */
export function askedBy(input: {
  caller: Caller;
  scope: ProjectScope;
  request: FastifyRequest;
}): Asked {
  const { caller, scope, request } = input;
  return { caller, scope, requestId: request.id };
}
