import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import type { FastifyRequest } from 'fastify';
import { contractOf } from '../http/route.ts';
import { ApiKeyStore } from './api-key.store.ts';
import { type Caller, setCaller, setScope } from './caller.ts';
import { notFound } from './not-found.ts';
import { type OrganizationScope, type ProjectScope, ScopeStore } from './scope.store.ts';

/** Every route says who may call it; this is where that is asked for. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    @Inject(ApiKeyStore) private readonly apiKeys: ApiKeyStore,
    @Inject(ScopeStore) private readonly scopes: ScopeStore,
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
    if (contract.access === 'operator') {
      requireOperator(caller);
    } else if (contract.access !== 'key') {
      const params = request.params as Record<string, string>;
      setScope(request, await this.#scopeOf(contract.access, caller, params));
    }
    return true;
  }

  async #scopeOf(
    access: 'organization' | 'project',
    caller: Caller,
    { organization = '', project = '' }: Record<string, string>,
  ): Promise<OrganizationScope | ProjectScope> {
    if (access === 'organization') {
      const scope = await this.scopes.organization(caller, organization);
      if (scope === null) throw notFound(`organization ${organization}`);
      return scope;
    }
    const scope = await this.scopes.project(caller, { organization, project });
    if (scope === null) throw notFound(`project ${organization}/${project}`);
    return scope;
  }
}

/** @throws AppError `forbidden` */
export function requireOperator({ isOperator }: Caller): void {
  if (isOperator) return;
  throw new AppError('forbidden', 'Only the operator of this platform may do this.');
}

const MESSAGES = {
  none: 'Send an API key: "Authorization: Bearer <key>".',
  bad: 'This API key is unknown, revoked or expired.',
};

/** @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
function bearerOf({ headers }: FastifyRequest): string | null {
  return /^Bearer +([\w.~+/-]+=*)$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}
