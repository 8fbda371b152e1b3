import type { IncomingMessage } from 'node:http';
import { AppError } from '@slipway/contracts';

/** What a request says of where it goes. */
export interface Target {
  /** as routes have it */
  host: string;
  /** as the client wrote it: with port and capitals */
  authority: string;
}

/** @throws AppError when it is to be understood in two ways, or is meant for another kind of server */
export function targetOf(request: IncomingMessage): Target {
  const { url = '', method, headers } = request;
  const isPath = url.startsWith('/') || (url === '*' && method === 'OPTIONS');
  if (!isPath)
    throw malformed('Name the host in the Host header, and only the path in the request.');
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding.trim().toLowerCase() !== 'chunked') {
    throw malformed('The body can be chunked, and have no other transfer coding.');
  }
  const [authority, ...others] = valuesOf(request.rawHeaders, 'host');
  if (authority === undefined || others.length > 0) {
    throw malformed('The request needs one Host header.');
  }
  return { authority, host: hostOf(authority) };
}

/** `Hello.localhost.:7780` → `hello.localhost` */
export function hostOf(authority: string): string {
  return authority.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '');
}

function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name,
  );
}

function malformed(message: string): AppError {
  return new AppError('malformed-request', message);
}
