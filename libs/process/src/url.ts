import type { AddressInfo, Server } from 'node:net';

/** Where an HTTP server listens: `http://127.0.0.1:7700`. */
export function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
