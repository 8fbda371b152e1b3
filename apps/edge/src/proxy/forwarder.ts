import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError, type Instance, type Route } from '@slipway/contracts';
import type { Logger } from '@slipway/log';
import type { RouteTable } from '@slipway/routes';
import type { Dispatcher } from 'undici';
import type { Instances } from '../instances/instances.ts';
import { inOrder } from '../instances/order.ts';
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
  route?: Route;
  instance?: Instance;
}

/** From a request's host to a container, and back. */
export class Forwarder {
  readonly #table: RouteTable;
  readonly #instances: Instances;
  readonly #log: Logger;
  #turn = 0;

  constructor(parts: { table: RouteTable; instances: Instances; log: Logger }) {
    this.#table = parts.table;
    this.#instances = parts.instances;
    this.#log = parts.log;
  }

  /** Never throws: whatever goes wrong becomes an answer, or cuts the one that has begun. */
  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    head: Buffer | null,
  ): Promise<void> {
    const visit: Visit = { request, response, head };
    const begunMs = performance.now();
    response.on('error', () => {}); // the client has gone away
    response.once('close', () => this.#note(visit, begunMs));
    try {
      const target = targetOf(request);
      await this.#forward(visit, target);
    } catch (error) {
      sendProblem(this.#asAppError(error), request, response);
    }
  }

  async #forward(visit: Visit, target: Target): Promise<void> {
    const { request, response } = visit;
    const route = this.#table.find(target.host);
    if (route === null) {
      throw new AppError('not-found', `There is no service with the host "${target.host}".`);
    }
    visit.route = route;
    // asks about the server as a whole, and no service needs to be awake for that; undici does not send it
    if (request.url === '*') return void response.writeHead(204).end();
    const options = dispatchOptions(visit, target);
    const underWay = (instance: Instance): number => this.#instances.underWay(instance);
    for (const instance of inOrder(route.instances, underWay, this.#turn++)) {
      visit.instance = instance;
      if (await this.#isTaken(visit, instance, options)) return;
    }
    throw new AppError(
      'no-instance',
      'No instance of the service can be reached at the moment; try again.',
    );
  }

  /** False: nothing of the instance was reached, and nothing sent. */
  async #isTaken(
    { response, head }: Visit,
    instance: Instance,
    options: Dispatcher.DispatchOptions,
  ): Promise<boolean> {
    let failure: unknown;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const upstream = await this.#instances.reach(instance).catch((error: unknown) => {
        failure = error;
      });
      if (response.closed) return true;
      if (upstream === undefined) break;
      const end = upstream.begin();
      response.once('close', end);
      try {
        await exchange(upstream.pool, options, response, head);
        return true;
      } catch (error) {
        if (!(error instanceof NotReached)) throw error;
        failure = error;
        response.off('close', end);
        end();
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

  #note({ request, response, route, instance }: Visit, begunMs: number): void {
    this.#log.debug(
      {
        host: route?.host ?? request.headers.host,
        status: response.statusCode,
        durationMs: Math.round((performance.now() - begunMs) * 10) / 10,
        serviceId: route?.serviceId,
        revisionId: route?.revisionId,
        containerId: instance?.containerId,
      },
      'request',
    );
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
