import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RegistryCaller } from './registry-access.ts';

/** One request to the registry and its answer. */
export interface Exchange {
  request: FastifyRequest;
  reply: FastifyReply;
  query: URLSearchParams;
  caller: RegistryCaller;
}
