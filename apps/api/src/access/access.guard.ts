import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import type { Database } from '@slipway/db';
import type { FastifyRequest } from 'fastify';
import { contractOf } from '../http/route.ts';
import { DATABASE } from '../platform.module.ts';
import { ApiKeyStore } from './api-key.store.ts';
import { setCaller, setScope } from './caller.ts';
import { ProjectScope } from './project-scope.store.ts';

/** Every route says who may call it; this is where that is asked for. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    @Inject(ApiKeyStore) private readonly apiKeys: ApiKeyStore,
    @Inject(DATABASE) private readonly database: Database,
  ) {}

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
    if (contract.access === 'project') {
      const { organization = '', project = '' } = request.params as Record<string, string>;
      const scope = await ProjectScope.of(this.database, caller, { organization, project });
      if (scope === null) {
        throw new AppError('not-found', `There is no project ${organization}/${project}.`);
      }
      setScope(request, scope);
    }
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
