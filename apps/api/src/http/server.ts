import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppError } from '@slipway/contracts';
import { type Logger, traced } from '@slipway/log';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RequestDurations } from './request-durations.ts';
import { requestId } from './request-id.ts';

const JSON_LIMIT_BYTES = 1024 * 1024;

/** What a stop has to wait for. */
export interface Traffic {
  /** requests that are not answered to their end */
  inFlight(): number;
  /** ends every connection, upgraded ones too */
  cutAll(): void;
}

export interface Server {
  adapter: FastifyAdapter;
  fastify: FastifyInstance;
  traffic: Traffic;
}

class Adapter extends FastifyAdapter {
  /** The handler's `reply.code()` holds: Nest would put the route's first status over it. */
  override reply(...[response, body]: Parameters<FastifyAdapter['reply']>): FastifyReply {
    return super.reply(response, body);
  }
}

/** Fastify as every listener of ours is set up; hooks come first, so that plugins have them too. */
export function createServer(
  { log, requests }: { log: Logger; requests: RequestDurations },
  options: {
    /** in metrics */
    name: string;
    /** sends an error in the listener's own form */
    refuse(error: AppError, request: FastifyRequest, reply: FastifyReply): void;
    /** else each body stays in `request.raw`, for its handler to stream */
    readsJson: boolean;
    /** a connection on which nothing moves for so long is cut; never when left out */
    idleMs?: number;
  },
): Server {
  const adapter = new Adapter({
    trustProxy: 'loopback',
    bodyLimit: JSON_LIMIT_BYTES,
    connectionTimeout: options.idleMs ?? 0,
    logger: false,
    routerOptions: { maxParamLength: 300 },
    genReqId: requestId,
    frameworkErrors: (_error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
      reply.header('x-request-id', request.id);
      options.refuse(
        new AppError('malformed-request', 'The path is not well formed.'),
        request,
        reply,
      );
    },
  });
  const fastify: FastifyInstance = adapter.getInstance();
  let inFlight = 0;
  const sockets = new Set<Socket>();
  fastify.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const cutAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.raw.setHeader('x-request-id', request.id);
    reply.raw.setHeader('x-content-type-options', 'nosniff');
    inFlight++;
    const { ip } = request; // not to be had any more when the client has gone away
    // Not `onResponse`: that is not called when the client goes away first.
    reply.raw.once('close', () => {
      inFlight--;
      logRequest(log, request, reply, ip);
      requests.note(options.name, request, reply);
    });
    // PostgreSQL takes none, and no name of ours has one
    if (/%00/.test(request.url)) {
      const nul = new AppError('malformed-request', 'The URL may not have a NUL character.');
      options.refuse(nul, request, reply);
    } else done();
  });
  // Behind the body: what its chunks call is not in the trace.
  fastify.addHook('preValidation', (request, _reply, done) => traced(request.id, done));
  fastify.removeAllContentTypeParsers();
  if (options.readsJson) readJson(fastify);
  fastify.addContentTypeParser('*', (_request, _payload, done) => done(null));
  return { adapter, fastify, traffic: { inFlight: () => inFlight, cutAll } };
}

function readJson(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  for (const type of ['application/json', /^application\/[\w.-]+\+json/]) {
    fastify.addContentTypeParser(
      type,
      { parseAs: 'string', bodyLimit: JSON_LIMIT_BYTES },
      (request, text: string, done) => {
        // `Content-Type: application/json` without a body: what many clients send with a bare POST.
        if (text === '') done(null, undefined);
        else parseJson(request, text, done);
      },
    );
  }
}

/** One wide line for each request. */
function logRequest(log: Logger, request: FastifyRequest, reply: FastifyReply, ip: string): void {
  const level = reply.raw.statusCode >= 500 || reply.raw.errored ? 'warn' : 'info';
  log[level](
    {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url ?? null,
      path: request.url.split('?', 1)[0],
      status: reply.raw.statusCode,
      aborted: reply.raw.writableFinished ? undefined : true,
      err: reply.raw.errored ?? undefined,
      durationMs: Math.round(reply.elapsedTime * 10) / 10,
      ip,
    },
    'request',
  );
}
