import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Call } from '../access/call.ts';
import type { RegistryCaller } from './registry-access.ts';

/** One request to the registry and its answer. */
export interface Exchange {
  request: FastifyRequest;
  reply: FastifyReply;
  query: URLSearchParams;
  caller: RegistryCaller;
  /** null: a node’s, which does what somebody has called for before */
  call: Call | null;
}
