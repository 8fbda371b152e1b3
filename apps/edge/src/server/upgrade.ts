import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Whether a request is to leave HTTP, if its service agrees; else its `Upgrade` is not heard. One with a
 * body cannot: the body would be taken for the other protocol. HTTP/2 may not: its requests would not be seen.
 */
export function isUpgrade({ method, headers }: IncomingMessage): boolean {
  const hasBody = 'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) !== 0;
  return method === 'GET' && !hasBody && headers.upgrade?.toLowerCase() !== 'h2c';
}

/** The answer to a request that node has let go of; unless it is detached, the connection ends with it. */
export function responseOn(socket: Socket, request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  socket.on('drain', () => response.emit('drain'));
  socket.once('end', () => {
    const isWaiting = response.socket === socket && !response.writableEnded;
    if (isWaiting) socket.destroy(); // as node does with other requests
  });
  response.once('finish', () => socket.destroySoon());
  return response;
}
