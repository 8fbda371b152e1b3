import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AppError, toProblem } from '@slipway/contracts';

/** Answers with an RFC 9457 problem; when another answer has begun, cutting it is the only honest sign left. */
export function sendProblem(
  error: AppError,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const instance = request.url?.split('?', 1)[0] ?? '';
  const body = Buffer.from(JSON.stringify(toProblem(error, { instance })));
  response.writeHead(error.status, {
    'content-type': 'application/problem+json',
    'content-length': body.length,
    'x-content-type-options': 'nosniff',
    ...(error.code === 'no-instance' ? { 'retry-after': '1' } : {}),
    // a body that nobody will read is not carried on to a next request
    ...(request.complete ? {} : { connection: 'close' }),
  });
  response.end(body);
}
