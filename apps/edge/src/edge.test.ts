import { createServer, type ServerResponse } from 'node:http';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stage } from './edge.fixture.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

test('an edge that answers knows all routes that there are', async () => {
  const host = await stage.route(await stage.container((_, response) => response.end('here')));
  const edge = await stage.edge();
  const answer = await request(edge.url, { headers: { host } });
  expect(await answer.body.text()).toBe('here');
});

test('an edge that stops lets requests end, and takes no more', async () => {
  const edge = await stage.edge();
  const arrived = Promise.withResolvers<ServerResponse>();
  const instance = await stage.container((_, response) => {
    response.write('first ');
    arrived.resolve(response);
  });
  const host = await edge.knows(await stage.route(instance));
  const { socket, text, closed } = await edge.open();
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const response = await arrived.promise;
  await expect.poll(text).toContain('first');
  const closing = edge.close();
  await expect(edge.open()).rejects.toThrow();
  response.end('second');
  await closed;
  expect(text()).toMatch(/second\r\n0\r\n\r\n$/);
  await closing;
});

test('an edge that stops cuts what does not end, and what was upgraded', async () => {
  const edge = await stage.edge({ drainMs: 100 });
  const server = createServer((_, response) => response.write('part'));
  server.on('upgrade', (_, socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  });
  const host = await edge.knows(await stage.route(await stage.container(server)));
  const [plain, upgraded, silent] = await Promise.all([edge.open(), edge.open(), edge.open()]);
  plain.socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  upgraded.socket.write(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  await expect.poll(plain.text).toContain('part');
  await expect.poll(upgraded.text).toContain('101');
  await edge.close();
  await Promise.all([plain.closed, upgraded.closed, silent.closed]);
  expect(plain.text()).not.toMatch(/0\r\n\r\n$/);
});

test('an edge whose port is taken says so, and leaves nothing open', async () => {
  const edge = await stage.edge();
  await expect(stage.edge({}, new URL(edge.url).port)).rejects.toThrow('EADDRINUSE');
});
