import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';

/** The response itself, with the reply's status and headers: from here on its user ends it. */
export function rawAnswer(reply: FastifyReply): ServerResponse {
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value);
  }
  return reply.raw;
}
