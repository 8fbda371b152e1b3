import type { IncomingMessage } from 'node:http';
import {
  createParamDecorator,
  type ExecutionContext,
  HttpCode,
  RequestMapping,
  RequestMethod,
  SetMetadata,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Call } from '../access/call.ts';
import { type Caller, callOf, scopeOf } from '../access/caller.ts';
import type { Permission } from '../access/permissions.ts';
import type { OrganizationScope, ProjectScope } from '../access/scope.store.ts';
import type { Streamed } from './streamed.ts';
import { parseInput } from './validate.ts';

/** One REST route: the source of its validation and of its entry in the OpenAPI document. */
export interface RouteContract {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** e.g. `/v1/organizations/:organization/projects/:project/builds/:build` */
  path: string;
  /** camelCase, unique: the generated client's name for it */
  operationId: string;
  summary: string;
  description?: string;
  tag: string;
  /**
   * `public`: anybody; `caller`: whoever has a valid API key, or is signed in; `operator`: who runs the
   * platform, also in whatever organization is in the path; a permission: who has it in the organization, or
   * in that of the project, in the path
   */
  access: 'public' | 'caller' | 'operator' | OperatorAccess | PermittedAccess;
  params?: z.ZodType;
  query?: z.ZodType;
  /** JSON */
  body?: z.ZodType;
  /** media types of a body that the handler reads by itself, in place of a JSON one */
  upload?: readonly string[];
  /** the success status and its body's schema; null: no body. The first is Nest's default status */
  responses: Readonly<Record<number, z.ZodType | Streamed | null>>;
}

export type PermittedAccess = { organization: Permission } | { project: Permission };

export type OperatorAccess = { operator: 'organization' };

export function permissionOf(access: PermittedAccess): Permission {
  return 'project' in access ? access.project : access.organization;
}

type Parsed<T> = T extends z.ZodType ? z.output<T> : undefined;

type Json<C extends RouteContract> = { body: Parsed<C['body']>; upload: null };
type Upload = { body: undefined; upload: IncomingMessage };
type Body<C extends RouteContract> = C['upload'] extends readonly string[]
  ? C['body'] extends z.ZodType
    ? Json<C> | Upload
    : Upload
  : Json<C>;

type ScopeOf<A> = A extends { project: Permission }
  ? ProjectScope
  : A extends { organization: Permission } | OperatorAccess
    ? OrganizationScope
    : null;

/** A handler's one argument: everything validated. */
export type Input<C extends RouteContract> = {
  params: Parsed<C['params']>;
  query: Parsed<C['query']>;
  /** who calls; null on a public route */
  caller: C['access'] extends 'public' ? null : Caller;
  call: Call<C['access'] extends 'public' ? null : Caller>;
  /** what the caller may do something in; null unless the route is an organization's or a project's */
  scope: ScopeOf<C['access']>;
  request: FastifyRequest;
  reply: FastifyReply;
} & Body<C>;

type SuccessSchemas<C extends RouteContract> = C['responses'][keyof C['responses']];
/** What a handler returns: the schema's input side, so that defaults may be left out. */
export type Output<C extends RouteContract> =
  SuccessSchemas<C> extends infer S
    ? S extends z.ZodType
      ? z.input<S>
      : S extends Streamed
        ? AsyncIterable<Uint8Array>
        : undefined
    : never;

export function defineRoute<const C extends RouteContract>(contract: C): C {
  return contract;
}

const ROUTE_METADATA = 'slipway:route';

const declared = new Set<RouteContract>();
/** Every contract that some controller serves: the OpenAPI document's list. */
export function declaredRoutes(): readonly RouteContract[] {
  return [...declared];
}

/** Serves `contract` with the decorated method: `@Route(listBuilds) list(@RouteInput() input: Input<typeof listBuilds>)`. */
export function Route(contract: RouteContract): MethodDecorator {
  declared.add(contract);
  const status = Number(Object.keys(contract.responses)[0] ?? 200);
  const decorators = [
    RequestMapping({ method: RequestMethod[contract.method], path: contract.path }),
    HttpCode(status),
    SetMetadata(ROUTE_METADATA, contract),
  ];
  return (target: object, key: string | symbol, descriptor: PropertyDescriptor) => {
    for (const decorate of decorators) decorate(target, key, descriptor);
  };
}

export function contractOf(context: ExecutionContext): RouteContract | undefined {
  return Reflect.getMetadata(ROUTE_METADATA, context.getHandler());
}

/** The handler's argument. */
export const RouteInput = createParamDecorator((_: unknown, context: ExecutionContext): unknown => {
  const http = context.switchToHttp();
  const request = http.getRequest<FastifyRequest>();
  const contract = contractOf(context);
  if (contract === undefined) throw new Error('@RouteInput() stands on a handler without @Route()');
  const reply = http.getResponse<FastifyReply>();
  const call = callOf(request);
  return {
    ...parseInput(contract, request),
    ...{ call, caller: call?.caller ?? null, scope: scopeOf(request), request, reply },
  };
});
