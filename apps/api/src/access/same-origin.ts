import { AppError } from '@slipway/contracts';
import type { FastifyRequest } from 'fastify';

const CHANGES_NOTHING = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A browser sends its cookies along with what a page of another origin asks for, a tenant's service too:
 * `SameSite` does not tell `web.example.com` from `console.example.com`. It says whose page asks.
 * @throws AppError `forbidden`
 * @see https://fetch.spec.whatwg.org/#origin-header
 */
export function requireSameOrigin({ method, headers, host }: FastifyRequest): void {
  if (CHANGES_NOTHING.has(method)) return;
  const { origin, 'sec-fetch-site': site = 'same-origin' } = headers;
  const isSame = origin === undefined || hostOf(origin) === host;
  if (isSame && (site === 'same-origin' || site === 'none')) return;
  throw new AppError('forbidden', 'A page of another origin may not do this in your name.');
}

/** null: `Origin: null`, which is nobody's */
function hostOf(origin: string): string | null {
  return URL.parse(origin)?.host ?? null;
}
