import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  contractOf,
  type OperatorAccess,
  type PermittedAccess,
  permissionOf,
  type RouteContract,
} from '../http/route.ts';
import { Call, operationOf } from './call.ts';
import { type Caller, membershipIn, setCall, setScope } from './caller.ts';
import { KeyStore, keyHasEnded } from './key.store.ts';
import { notFound } from './not-found.ts';
import { OpenRequests } from './open-requests.ts';
import { requirePermission } from './permissions.ts';
import { type OrganizationScope, type ProjectScope, ScopeStore } from './scope.store.ts';
import { SessionStore } from './session.store.ts';
import { SessionCookie } from './session-cookie.ts';

/** Every route says who may call it; this is where that is asked for. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    @Inject(KeyStore) private readonly keys: KeyStore,
    @Inject(SessionStore) private readonly sessions: SessionStore,
    @Inject(SessionCookie) private readonly cookie: SessionCookie,
    @Inject(ScopeStore) private readonly scopes: ScopeStore,
    @Inject(OpenRequests) private readonly openRequests: OpenRequests,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const contract = contractOf(context);
    if (contract === undefined) throw new Error('a route is served without a contract');
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const operation = operationOf(contract, request);
    if (contract.access === 'public') {
      this.cookie.requireOwnPage(request);
      setCall(request, new Call(operation, null, request));
      return true;
    }
    const caller = await this.#callerOf(request);
    const call = new Call(operation, caller, request);
    setCall(request, call);
    let scope = null;
    if (contract.access === 'operator') {
      requireOperator(caller);
    } else if (contract.access !== 'caller') {
      const params = request.params as Record<string, string>;
      scope = (await this.#scopeOf(contract.access, caller, params)).for(call);
      setScope(request, scope);
      if ('operator' in contract.access) requireOperator(caller);
      else requirePermission(membershipIn(caller, scope), permissionOf(contract.access));
    }
    if (mayLast(contract)) {
      this.openRequests.add(context.switchToHttp().getResponse<FastifyReply>(), caller, scope);
    }
    return true;
  }

  async #callerOf(request: FastifyRequest): Promise<Caller> {
    const key = bearerOf(request);
    if (key !== null) {
      const caller = await this.keys.callerOf(key);
      if (caller !== null) return caller;
      throw keyHasEnded();
    }
    const session = this.cookie.tokenOf(request);
    if (session === null) throw new AppError('unauthenticated', NOBODY);
    this.cookie.requireOwnPage(request);
    const caller = await this.sessions.callerOf(session);
    if (caller !== null) return caller;
    throw new AppError('unauthenticated', 'This session has ended: sign in again.');
  }

  async #scopeOf(
    access: OperatorAccess | PermittedAccess,
    caller: Caller,
    { organization = '', project = '' }: Record<string, string>,
  ): Promise<OrganizationScope | ProjectScope> {
    const isProjects = 'project' in access;
    const scope = isProjects
      ? await this.scopes.project(caller, { organization, project })
      : await this.scopes.organization(caller, organization, { isOperators: 'operator' in access });
    if (scope !== null) return scope;
    throw notFound(
      isProjects ? `project ${organization}/${project}` : `organization ${organization}`,
    );
  }
}

/** A change is not among them: what takes from its caller what they may must not end its own answer. */
function mayLast({ method, upload }: RouteContract): boolean {
  return method === 'GET' || upload !== undefined;
}

/** @throws AppError `forbidden` */
export function requireOperator({ isOperator }: Caller): void {
  if (isOperator) return;
  throw new AppError('forbidden', 'Only the operator of this platform may do this.');
}

const NOBODY = 'Send an API key, "Authorization: Bearer <key>", or sign in.';

/** @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
function bearerOf({ headers }: FastifyRequest): string | null {
  return /^Bearer +([\w.~+/-]+=*)$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}
