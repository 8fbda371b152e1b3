import type { ErrorCode } from '@slipway/contracts';
import type { FastifyRequest } from 'fastify';
import type { RouteContract } from '../http/route.ts';
import type { Caller } from './caller.ts';
import { clientOf } from './session.store.ts';

/** The thing that is called for: what a path names last. */
interface Named {
  /** as the path calls it, e.g. `container` */
  type: string;
  /** an identifier or a name, as it was given */
  name: string;
}

/** A request of a caller: who does what, and from where. What it changes is recorded with it. */
export class Call {
  readonly operation: string;
  /** it may change something */
  readonly isChange: boolean;
  readonly caller: Caller;
  readonly requestId: string;
  readonly ip: string;
  readonly userAgent: string;
  readonly named: Named | null;
  /** something that it has changed is recorded */
  isRecorded = false;
  /** the code of the problem that it is answered with */
  problem: ErrorCode | null = null;

  constructor(
    { operationId, method, path }: RouteContract,
    caller: Caller,
    request: FastifyRequest,
  ) {
    const { userAgent, ip } = clientOf(request);
    this.operation = operationId;
    this.isChange = method !== 'GET';
    this.caller = caller;
    this.requestId = request.id;
    this.ip = ip;
    this.userAgent = userAgent;
    const type = /.*:(\w+)/.exec(path)?.[1];
    const name = (request.params as Record<string, string>)[type ?? ''];
    this.named = type === undefined || name === undefined ? null : { type, name };
  }
}
