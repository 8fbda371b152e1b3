import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SESSION_DAYS } from './session.store.ts';

/** In the OpenAPI document. */
export const SESSION_COOKIE = 'slipway-session';

/** @returns the session's token */
export function sessionOf(request: FastifyRequest): string | null {
  return parseCookie(request.headers.cookie ?? '')[nameFor(request)] ?? null;
}

export function setSession(request: FastifyRequest, reply: FastifyReply, token: string): void {
  set(request, reply, { value: token, maxAge: SESSION_DAYS * 86_400 });
}

export function clearSession(request: FastifyRequest, reply: FastifyReply): void {
  set(request, reply, { value: '', maxAge: 0 });
}

function set(
  request: FastifyRequest,
  reply: FastifyReply,
  content: { value: string; maxAge: number },
): void {
  const secure = isSecure(request);
  const cookie = { name: nameFor(request), ...content, path: '/', secure };
  void reply.header(
    'set-cookie',
    stringifySetCookie({ ...cookie, httpOnly: true, sameSite: 'lax' }),
  );
}

/** With the prefix no other host can have set it. @see RFC 6265bis, section 4.1.3.2 */
function nameFor(request: FastifyRequest): string {
  return isSecure(request) ? `__Host-${SESSION_COOKIE}` : SESSION_COOKIE;
}

function isSecure({ protocol }: FastifyRequest): boolean {
  return protocol === 'https';
}
