import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import { parseCookie, stringifySetCookie } from 'cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { API_URL } from '../platform.module.ts';
import { SESSION_DAYS } from './session.store.ts';

/** In the OpenAPI document. */
export const SESSION_COOKIE = 'slipway-session';

/**
 * Where a browser keeps a session: on the host name of `API_URL` alone, which no tenant's service can
 * have. Whatever else leads to this process might be shared with one.
 */
@Injectable()
export class SessionCookie {
  readonly #isSecure: boolean;
  readonly #name: string;

  constructor(@Inject(API_URL) private readonly apiUrl: URL) {
    this.#isSecure = apiUrl.protocol === 'https:';
    // With the prefix no other host can have set it: RFC 6265bis, section 4.1.3.2.
    this.#name = this.#isSecure ? `__Host-${SESSION_COOKIE}` : SESSION_COOKIE;
  }

  /** @returns the session's token */
  tokenOf(request: FastifyRequest): string | null {
    if (!this.#isOwnHost(request)) return null;
    return parseCookie(request.headers.cookie ?? '')[this.#name] ?? null;
  }

  set(reply: FastifyReply, token: string): void {
    this.#send(reply, { value: token, maxAge: SESSION_DAYS * 86_400 });
  }

  clear(reply: FastifyReply): void {
    this.#send(reply, { value: '', maxAge: 0 });
  }

  /** @throws AppError `forbidden` */
  requireOwnHost(request: FastifyRequest): void {
    if (this.#isOwnHost(request)) return;
    throw new AppError(
      'forbidden',
      `Sessions are of one address only: sign in at ${this.apiUrl.origin}.`,
    );
  }

  /**
   * A browser sends its cookies along with what a page of another origin asks for, a tenant's service too:
   * `SameSite` does not tell `web.example.com` from `console.example.com`. It says whose page asks.
   * @throws AppError `forbidden`
   * @see https://fetch.spec.whatwg.org/#origin-header
   */
  requireOwnPage({ method, headers, host }: FastifyRequest): void {
    if (CHANGES_NOTHING.has(method)) return;
    const { origin, 'sec-fetch-site': site = 'same-origin' } = headers;
    const isOwn = origin === undefined || origin === `${this.apiUrl.protocol}//${host}`;
    if (isOwn && (site === 'same-origin' || site === 'none')) return;
    throw new AppError('forbidden', 'A page of another origin may not do this in your name.');
  }

  /** Cookies tell no port from another. */
  #isOwnHost({ hostname }: FastifyRequest): boolean {
    return hostname.toLowerCase() === this.apiUrl.hostname;
  }

  #send(reply: FastifyReply, content: { value: string; maxAge: number }): void {
    const cookie = { name: this.#name, ...content, path: '/', secure: this.#isSecure };
    void reply.header(
      'set-cookie',
      stringifySetCookie({ ...cookie, httpOnly: true, sameSite: 'lax' }),
    );
  }
}

const CHANGES_NOTHING = new Set(['GET', 'HEAD', 'OPTIONS']);
