import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';

/**
 * What is sent on of a request. Not the request itself: undici destroys what it sends when the answer
 * comes before all of it was sent, and with a request goes its connection, the answer included.
 * @returns null: it has no body
 */
export function bodyOf(request: IncomingMessage): Readable | null {
  const { headers } = request;
  const hasBody = 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0;
  if (!hasBody) return null;
  const body = new PassThrough();
  body.on('error', () => {});
  body.on('close', () => request.resume()); // what nobody takes any more is read and dropped
  request.on('error', (error) => body.destroy(error));
  return request.pipe(body);
}
