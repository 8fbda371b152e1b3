import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Inject,
} from '@nestjs/common';
import { AppError, type ErrorCode, toProblem } from '@slipway/contracts';
import { isDatabaseAway } from '@slipway/db';
import type { Logger } from '@slipway/log';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callOf } from '../access/caller.ts';
import { LOGGER } from '../platform.module.ts';
import { methodsOfPath } from './declared-paths.ts';
import { TooManyRequests } from './too-many-requests.ts';

/** Everything that was thrown becomes an RFC 9457 problem; what was not meant to be is logged here, once. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly log: Logger) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const error = asAppError(thrown, request);
    if (error.status >= 500) {
      const { method, routeOptions } = request;
      this.log.error({ err: thrown, method, route: routeOptions?.url }, 'request failed');
    }
    if (reply.sent || reply.raw.headersSent) {
      // The status is out already: cutting the stream is the only honest sign of failure left.
      reply.raw.destroy();
      return;
    }
    sendProblem(error, request, reply);
  }
}

export function sendProblem(error: AppError, request: FastifyRequest, reply: FastifyReply): void {
  const instance = request.url.split('?', 1)[0] ?? '';
  if (error.code === 'unavailable') reply.header('retry-after', '1');
  if (error instanceof TooManyRequests) reply.header('retry-after', String(error.afterSeconds));
  if (error.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer');
  if (error.code === 'method-not-allowed')
    reply.header('allow', methodsOfPath(instance).join(', '));
  closeIfUnread(request, reply);
  const call = callOf(request);
  if (call !== null) call.problem = error.code;
  reply
    .code(error.status)
    .type('application/problem+json')
    .send(JSON.stringify(toProblem(error, { instance, requestId: request.id })));
}

/** A body that nobody will read is not carried on to a next request. */
export function closeIfUnread(request: FastifyRequest, reply: FastifyReply): void {
  if (!request.raw.complete && request.raw.headers['content-length'] !== '0') {
    reply.header('connection', 'close');
  }
}

export const AWAY = 'The platform’s database does not answer for the moment; try again.';

/** An unknown error says nothing of itself to the client. */
export function asAppError(thrown: unknown, request: FastifyRequest): AppError {
  if (thrown instanceof AppError) return thrown;
  const cause = thrown;
  if (isDatabaseAway(thrown)) return new AppError('unavailable', AWAY, { cause });
  const status = statusOf(thrown);
  if (status === 404) {
    const path = request.url.split('?', 1)[0] ?? '';
    const methods = methodsOfPath(path);
    if (methods.length > 0 && !methods.includes(request.method)) {
      return new AppError('method-not-allowed', `Use ${methods.join(' or ')} here.`, { cause });
    }
    return new AppError('not-found', `There is nothing at ${path}.`, { cause });
  }
  const known = status === null ? undefined : BY_STATUS[status];
  if (known !== undefined) return new AppError(known.code, known.message, { cause });
  return new AppError('internal', 'Something went wrong on our side; it has been logged.', {
    cause,
  });
}

const BY_STATUS: Readonly<Record<number, { code: ErrorCode; message: string }>> = {
  400: {
    code: 'malformed-request',
    message: 'The request is malformed: its body is not valid JSON, or its URL is not well formed.',
  },
  408: { code: 'request-timeout', message: 'The request took too long to arrive.' },
  413: { code: 'payload-too-large', message: 'The body is larger than 1 MiB.' },
  414: { code: 'malformed-request', message: 'The URL is too long.' },
  415: { code: 'unsupported-media-type', message: 'Send the body as application/json.' },
  503: { code: 'unavailable', message: 'The API is stopping; try again.' },
};

/** Nest's exceptions and Fastify's errors carry a status; nothing else is trusted to. */
function statusOf(thrown: unknown): number | null {
  if (thrown instanceof HttpException) return thrown.getStatus();
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return null;
  const isFastify = 'code' in thrown && String(thrown.code).startsWith('FST_');
  return isFastify && typeof thrown.statusCode === 'number' ? thrown.statusCode : null;
}
