import type { FastifyReply } from 'fastify';

/** Aborted when the client is gone, or when `timeoutMs` are over. */
export function whileConnected(reply: FastifyReply, timeoutMs?: number): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  if (timeoutMs === undefined) return gone.signal;
  return AbortSignal.any([gone.signal, AbortSignal.timeout(timeoutMs)]);
}
