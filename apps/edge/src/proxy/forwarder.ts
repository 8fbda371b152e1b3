import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError, type Instance, type Route } from '@slipway/contracts';
import type { Logger } from '@slipway/log';
import type { RouteTable } from '@slipway/routes';
import type { Dispatcher } from 'undici';
import type { AccessLog, Entry } from '../access-log.ts';
import type { Instances } from '../instances/instances.ts';
import { inOrder } from '../instances/order.ts';
import type { UnderWay } from '../instances/under-way.ts';
import type { Served } from '../served.ts';
import { bodyOf } from './body.ts';
import { exchange, NotReached } from './exchange.ts';
import { headersForward } from './headers.ts';
import { sendProblem } from './problem.ts';
import { type Target, targetOf } from './target.ts';

/** An address that does not answer may be an old one: its agent is asked once more. */
const TRIES = 2;

/** One request on its way. */
interface Visit {
  request: IncomingMessage;
  response: ServerResponse;
  /** what a client that wants to leave HTTP has sent already; null: it wants no such thing */
  head: Buffer | null;
  entry: Entry;
}

/** From a request's host to a container, and back. */
export class Forwarder {
  readonly #table: RouteTable;
  readonly #instances: Instances;
  readonly #underWay: UnderWay;
  readonly #served: Served;
  readonly #accessLog: AccessLog;
  readonly #log: Logger;
  #turn = 0;

  constructor(parts: {
    table: RouteTable;
    instances: Instances;
    underWay: UnderWay;
    served: Served;
    accessLog: AccessLog;
    log: Logger;
  }) {
    this.#table = parts.table;
    this.#instances = parts.instances;
    this.#underWay = parts.underWay;
    this.#served = parts.served;
    this.#accessLog = parts.accessLog;
    this.#log = parts.log;
  }

  /** Never throws: whatever goes wrong becomes an answer, or cuts the one that has begun. */
  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    head: Buffer | null,
  ): Promise<void> {
    const entry = this.#accessLog.begin(request, response);
    response.on('error', () => {}); // the client has gone away
    try {
      const target = targetOf(request);
      await this.#forward({ request, response, head, entry }, target);
    } catch (error) {
      const known = this.#asAppError(error);
      entry.code = known.code;
      sendProblem(known, request, response);
    }
  }

  async #forward(visit: Visit, target: Target): Promise<void> {
    visit.entry.route = this.#routeTo(target);
    // asks about the server as a whole, and no service needs to be awake for that; undici does not send it
    if (visit.request.url === '*') return void visit.response.writeHead(204).end();
    const options = dispatchOptions(visit, target);
    let tried: Route;
    do {
      tried = this.#routeTo(target);
      visit.entry.route = tried;
      if (await this.#isForwarded(visit, tried, options)) return;
    } while (tried !== this.#routeTo(target)); // instances that are gone may have been replaced
    throw new AppError(
      'no-instance',
      'No instance of the service can be reached at the moment; try again.',
    );
  }

  #routeTo({ host }: Target): Route {
    const route = this.#table.find(host);
    if (route !== null) return route;
    throw new AppError('not-found', `There is no service with the host "${host}".`);
  }

  /** False: no instance was reached, and nothing sent. */
  async #isForwarded(
    visit: Visit,
    route: Route,
    options: Dispatcher.DispatchOptions,
  ): Promise<boolean> {
    const { response } = visit;
    const count = (instance: Instance): number => this.#underWay.count(instance);
    for (const instance of inOrder(route.instances, count, this.#turn++)) {
      visit.entry.instance = instance;
      const end = this.#underWay.begin(route, instance);
      response.once('close', end);
      if (await this.#isTaken(visit, route, instance, options)) return true;
      response.off('close', end);
      end();
    }
    return false;
  }

  /** False: nothing of the instance was reached, and nothing sent. */
  async #isTaken(
    { response, head }: Visit,
    route: Route,
    instance: Instance,
    options: Dispatcher.DispatchOptions,
  ): Promise<boolean> {
    const onBytes = (count: number): void => this.#served.add(route, count);
    let failure: unknown;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const upstream = await this.#instances.reach(instance).catch((error: unknown) => {
        failure = error;
      });
      if (response.closed) return true;
      if (upstream === undefined) break;
      try {
        await exchange(upstream.pool, options, { response, head, onBytes });
        return true;
      } catch (error) {
        if (!(error instanceof NotReached)) throw error;
        failure = error;
        this.#instances.forget(instance, upstream);
      }
    }
    const { containerId, node } = instance;
    this.#log.debug({ err: failure, containerId, node }, 'an instance cannot be reached');
    return false;
  }

  #asAppError(error: unknown): AppError {
    if (error instanceof AppError) return error;
    this.#log.error({ err: error }, 'a request failed');
    return new AppError('internal', 'Something went wrong on our side; it has been logged.');
  }
}

function dispatchOptions(
  { request, head }: Visit,
  { authority }: Target,
): Dispatcher.DispatchOptions {
  return {
    path: request.url ?? '',
    method: request.method ?? 'GET',
    headers: headersForward(request, authority),
    body: bodyOf(request),
    upgrade: head === null ? null : (request.headers.upgrade ?? null),
  };
}
