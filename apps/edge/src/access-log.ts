import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Instance, Problem, Route } from '@slipway/contracts';
import type { Logger } from '@slipway/log';

/** What is learnt of a request on its way. */
export interface Entry {
  route?: Route;
  /** the last one that was tried */
  instance?: Instance;
  /** of the problem that we answered with */
  code?: string;
}

/** A client may send 16 KiB of each. */
const MOST_CHARACTERS = 1_000;

/** One line for each request, when its answer is over: for an upgraded connection, when that ends. */
export class AccessLog {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @returns what is to be filled in until then */
  begin(request: IncomingMessage, response: ServerResponse): Entry {
    const entry: Entry = {};
    const begunMs = performance.now();
    const ip = peerOf(request.socket); // later it may have none
    const { method, url = '', headers } = request;
    response.once('close', () => {
      const { route, instance, code } = entry;
      const isUpgraded = response.statusCode === 101;
      this.#log.info(
        {
          ...{ method, host: route?.host ?? headers.host?.slice(0, MOST_CHARACTERS) },
          path: url.split('?', 1)[0]?.slice(0, MOST_CHARACTERS), // queries hold secrets
          status: response.headersSent || isUpgraded ? response.statusCode : null,
          aborted: response.writableFinished || isUpgraded ? undefined : true,
          ...{ code, durationMs: Math.round((performance.now() - begunMs) * 10) / 10, ip },
          ...{ serviceId: route?.serviceId, revisionId: route?.revisionId },
          containerId: instance?.containerId,
        },
        'request',
      );
    });
    return entry;
  }

  /** Of what could not be read, and was answered so. */
  refused(socket: Socket, { status, code, detail }: Problem): void {
    this.#log.info({ status, code, detail, ip: peerOf(socket) }, 'unreadable request');
  }
}

export function peerOf({ remoteAddress = 'unknown' }: Socket): string {
  return remoteAddress.replace(/^::ffff:/, '');
}
