import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { unreadiness } from './probe.ts';

async function listening(server: ReturnType<typeof createTcpServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test('a port that takes a connection is ready, one that does not says so', async () => {
  const server = createTcpServer((socket) => socket.on('error', () => {}).resume());
  const port = await listening(server);
  expect(await unreadiness('127.0.0.1', { port, path: null })).toBeNull();
  server.close();
  expect(await unreadiness('127.0.0.1', { port, path: null })).toContain(`on port ${port}`);
});

test('a path has to be answered with a status below 400, and in time', async () => {
  const server = createServer(({ url = '' }, response) => {
    const status = Number(url.slice(1));
    if (status > 0) response.writeHead(status, { location: '/elsewhere' }).end();
    if (url === '/cut') response.destroy();
  });
  const port = await listening(server);
  const ask = (path: string) => unreadiness('127.0.0.1', { port, path });
  expect(await ask('/204')).toBeNull();
  expect(await ask('/302')).toBeNull();
  expect(await ask('/503')).toBe(`GET /503 on port ${port} is answered with status 503.`);
  expect(await ask('/cut')).toBe(`GET /cut on port ${port} is not answered.`);
  expect(await ask('/silent')).toContain('is not answered within');
  server.closeAllConnections();
});
