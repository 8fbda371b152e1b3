import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import type { FastifyRequest } from 'fastify';
import { contractOf } from '../http/route.ts';
import { ApiKeyStore } from './api-key.store.ts';
import { setCaller } from './caller.ts';

/** Every route says who may call it; this is where that is asked for. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(@Inject(ApiKeyStore) private readonly apiKeys: ApiKeyStore) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const contract = contractOf(context);
    if (contract === undefined) throw new Error('a route is served without a contract');
    if (contract.access === 'public') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const key = bearerOf(request);
    const caller = key === null ? null : await this.apiKeys.callerOf(key);
    if (caller === null)
      throw new AppError('unauthenticated', MESSAGES[key === null ? 'none' : 'bad']);
    setCaller(request, caller);
    return true;
  }
}

const MESSAGES = {
  none: 'Send an API key: "Authorization: Bearer <key>".',
  bad: 'This API key is unknown, revoked or expired.',
};

/** @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
function bearerOf({ headers }: FastifyRequest): string | null {
  return /^Bearer +([\w.~+/-]+=*)$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}
