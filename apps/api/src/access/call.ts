import type { FastifyRequest } from 'fastify';
import type { RouteContract } from '../http/route.ts';
import type { Caller } from './caller.ts';
import { clientOf } from './session.store.ts';

/** What is called for. */
export interface Operation {
  /** as the OpenAPI document has it, or docs/audit.md for the registry's */
  name: string;
  /** it may change something */
  isChange: boolean;
  /** it is about who calls, in whatever organizations they are */
  isOfAccount: boolean;
  /** the thing that a path names last, as it was given: an identifier or a name */
  target: { type: string; name: string } | null;
}

/** Who does something, and by which key or session. */
export type Actor = Pick<Caller, 'credentialId' | 'userId'>;

/** A request: who does what, and from where. What it changes is recorded with it. */
export class Call<By extends Actor | null = Caller> {
  readonly requestId: string;
  readonly ip: string;
  readonly userAgent: string;
  /** something that it has changed is recorded */
  isRecorded = false;
  /** the code of the problem that it is answered with */
  problem: string | null = null;

  constructor(
    readonly operation: Operation,
    /** null on a public route: anybody */
    readonly caller: By,
    private readonly request: FastifyRequest,
  ) {
    const { userAgent, ip } = clientOf(request);
    this.requestId = request.id;
    this.ip = ip;
    this.userAgent = userAgent;
  }

  /** It has turned out who calls. */
  by(actor: Actor): Call<Actor> {
    return new Call(this.operation, actor, this.request);
  }
}

export function operationOf(
  { operationId, method, path, tag }: RouteContract,
  { params }: FastifyRequest,
): Operation {
  const type = /.*:(\w+)/.exec(path)?.[1];
  const name = (params as Record<string, string>)[type ?? ''];
  const target = type === undefined || name === undefined ? null : { type, name };
  const isOfAccount = tag === 'Account';
  return { name: operationId, isChange: method !== 'GET', isOfAccount, target };
}
