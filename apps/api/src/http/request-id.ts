import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const GIVEN = /^[A-Za-z0-9_-]{8,64}$/;
/** Random once and then counted: as unique as a random id for each request, and free. */
const PROCESS = randomBytes(8).toString('base64url').replace(/[-_]/g, '0');
let count = 0;

/** The proxy's or client's own id when it gave a sound one. */
export function requestId(raw: IncomingMessage): string {
  const given = raw.headers['x-request-id'];
  if (typeof given === 'string' && GIVEN.test(given)) return given;
  count++;
  return `${PROCESS}-${count.toString(36)}`;
}
