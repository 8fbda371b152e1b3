import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '@slipway/contracts';
import type { AccessLog } from '../access-log.ts';
import { sendProblem } from '../proxy/problem.ts';
import { refuseUnreadable } from './unreadable.ts';
import { isUpgrade, responseOn } from './upgrade.ts';

/** @param head what a client that wants another protocol has sent already; null: it wants none */
export type Serve = (
  request: IncomingMessage,
  response: ServerResponse,
  head: Buffer | null,
) => unknown;

const SETTINGS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 20_000,
  connectionsCheckingInterval: 5_000,
  requestTimeout: 0, // an upload takes what it takes
  keepAliveTimeout: 65_000,
  insecureHTTPParser: false,
  requireHostHeader: false, // it is asked for where all are asked for: with a problem as the answer
  shouldUpgradeCallback: isUpgrade,
  noDelay: true,
  // a peer that has vanished is noticed, also when nobody has anything to say
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
};

/** Where clients connect: what cannot be read is refused here, all else is served. */
export class Listener {
  readonly server: Server;
  readonly #serve: Serve;
  readonly #accessLog: AccessLog;
  readonly #sockets = new Set<Socket>();
  /** on each connection, answers that are not over */
  readonly #underWay = new Map<Socket, number>();

  constructor(serve: Serve, accessLog: AccessLog) {
    this.#serve = serve;
    this.#accessLog = accessLog;
    this.server = createServer(SETTINGS);
    this.server.maxHeadersCount = 0; // the section's size is the limit: none is left out silently
    this.server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.server.on('request', (request, response) => this.#onRequest(request, response));
    this.server.on('upgrade', (request, _socket, head) => this.#onUpgrade(request, head));
    this.server.on('connect', (request) => this.#onConnect(request));
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      this.#onUnreadable(error, socket as Socket),
    );
  }

  /** Takes nothing new, lets requests end, at most for `drainMs`, then cuts what is left: upgraded connections too. */
  async drain(drainMs: number): Promise<void> {
    const deadlineMs = performance.now() + drainMs;
    const closed = new Promise((done) => this.server.close(done));
    const timer = setInterval(() => {
      this.server.closeIdleConnections();
      if (this.#underWay.size > 0 && performance.now() < deadlineMs) return;
      for (const socket of this.#sockets) socket.destroy();
    }, 50);
    await closed;
    clearInterval(timer);
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    this.#count(request.socket, response);
    if (!this.server.listening) response.shouldKeepAlive = false;
    this.#serve(request, response, null);
  }

  #onUpgrade(request: IncomingMessage, head: Buffer): void {
    const response = this.#takeOver(request);
    if (response !== null) this.#serve(request, response, head);
  }

  #onConnect(request: IncomingMessage): void {
    const response = this.#takeOver(request);
    if (response === null) return;
    const error = new AppError('malformed-request', 'CONNECT is for proxies; this is none.');
    this.#accessLog.begin(request, response).code = error.code;
    sendProblem(error, request, response);
  }

  /** Of a request that node lets go of. Null: an earlier one is under way, and two would write at once. */
  #takeOver(request: IncomingMessage): ServerResponse | null {
    const { socket } = request;
    socket.on('error', () => {}); // node has taken its own away
    if (this.#underWay.has(socket)) {
      socket.destroy();
      return null;
    }
    const response = responseOn(socket, request);
    this.#count(socket, response);
    return response;
  }

  #onUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
    if (!this.#underWay.has(socket)) {
      const problem = refuseUnreadable(error, socket);
      if (problem !== null) this.#accessLog.refused(socket, problem);
    } else if (error.code !== 'HPE_CLOSED_CONNECTION') {
      // what comes after a `Connection: close` is not heard; else an answer would be mixed with the one under way
      socket.destroySoon();
    }
  }

  #count(socket: Socket, response: ServerResponse): void {
    this.#underWay.set(socket, (this.#underWay.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (this.#underWay.get(socket) ?? 1) - 1;
      if (left > 0) this.#underWay.set(socket, left);
      else this.#underWay.delete(socket);
    });
  }
}
