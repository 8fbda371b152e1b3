import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '@slipway/contracts';
import { sendProblem } from '../proxy/problem.ts';
import { refuseUnreadable } from './unreadable.ts';

/** @param head what a client that wants another protocol has sent already; null: it wants none */
type Serve = (request: IncomingMessage, response: ServerResponse, head: Buffer | null) => unknown;

export interface Listener {
  server: Server;
  /** Takes nothing new, lets requests end, at most for `drainMs`, then cuts what is left: upgraded connections too. */
  drain(drainMs: number): Promise<void>;
}

const SETTINGS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 20_000,
  connectionsCheckingInterval: 5_000,
  requestTimeout: 0, // an upload takes what it takes
  keepAliveTimeout: 65_000,
  insecureHTTPParser: false,
  requireHostHeader: false, // it is asked for where all are asked for: with a problem as the answer
  noDelay: true,
  // a peer that has vanished is noticed, also when nobody has anything to say
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
};

export function createListener(serve: Serve): Listener {
  const sockets = new Set<Socket>();
  const underWay = new Map<Socket, number>();
  const server = createServer({ ...SETTINGS, shouldUpgradeCallback: isUpgrade });
  server.maxHeadersCount = 0; // the section's size is the limit: none is left out silently
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const counted = (socket: Socket, response: ServerResponse): void => {
    underWay.set(socket, (underWay.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (underWay.get(socket) ?? 1) - 1;
      if (left > 0) underWay.set(socket, left);
      else underWay.delete(socket);
    });
  };
  server.on('request', (request, response) => {
    counted(request.socket, response);
    if (!server.listening) response.shouldKeepAlive = false;
    serve(request, response, null);
  });
  server.on('upgrade', (request, _duplex, head) => {
    const { socket } = request;
    socket.on('error', () => {}); // node has taken its own away
    if (underWay.has(socket)) return socket.destroy(); // two would write to it at once
    const response = responseOn(socket, request);
    counted(socket, response);
    serve(request, response, head);
  });
  server.on('connect', (request) => {
    const { socket } = request;
    socket.on('error', () => {});
    if (underWay.has(socket)) return socket.destroy();
    const error = new AppError('malformed-request', 'CONNECT is for proxies; this is none.');
    sendProblem(error, request, responseOn(socket, request));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as Socket;
    if (!underWay.has(socket)) refuseUnreadable(error, socket);
    // what comes after a `Connection: close` is not heard; after all else an answer would be mixed with the one under way
    else if (error.code !== 'HPE_CLOSED_CONNECTION') socket.destroySoon();
  });
  return {
    server,
    drain: (drainMs) =>
      new Promise((done) => {
        const deadlineMs = performance.now() + drainMs;
        const timer = setInterval(() => {
          server.closeIdleConnections();
          if (underWay.size > 0 && performance.now() < deadlineMs) return;
          for (const socket of sockets) socket.destroy();
        }, 50);
        server.close(() => {
          clearInterval(timer);
          done();
        });
      }),
  };
}

/**
 * Whether a request is to leave HTTP, if its service agrees; else its `Upgrade` is not heard. One with a
 * body cannot: the body would be taken for the other protocol. HTTP/2 may not: its requests would not be seen.
 */
function isUpgrade({ method, headers }: IncomingMessage): boolean {
  const hasBody = 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) !== 0;
  return method === 'GET' && !hasBody && headers.upgrade?.toLowerCase() !== 'h2c';
}

/** The answer to a request that node has let go of; its connection ends with it. */
function responseOn(socket: Socket, request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  socket.on('drain', () => response.emit('drain'));
  response.once('finish', () => socket.destroySoon());
  return response;
}
