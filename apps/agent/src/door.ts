import { rmSync } from 'node:fs';
import { type Logger, traced } from '@slipway/log';
import Fastify, { type FastifyInstance } from 'fastify';

class MalformedCall extends Error {
  readonly statusCode = 400;
}

/** What a call against its contract is answered with: 400. */
export function refuse(message: string): Error {
  return new MalformedCall(message);
}

/**
 * A server on a Unix socket that only root can reach, for our own processes.
 * @param isReady what `/health` answers with: 200 or 503
 */
export function createDoor(log: Logger, isReady: () => boolean): FastifyInstance {
  const door = Fastify({
    logger: false,
    forceCloseConnections: true,
  });
  door.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) log.error({ err: error, url: request.url }, 'call failed');
    reply.code(status).send({ message: error.message });
  });
  door.addHook('preValidation', ({ headers }, _reply, done) => {
    const requestId = headers['x-request-id'];
    if (typeof requestId === 'string') traced(requestId, done);
    else done();
  });
  door.get('/health', (_request, reply) => reply.code(isReady() ? 200 : 503).send({}));
  return door;
}

/** Takes the place of one that was killed. */
export async function listenOn(door: FastifyInstance, socket: string): Promise<void> {
  rmSync(socket, { force: true });
  await door.listen({ path: socket });
}
