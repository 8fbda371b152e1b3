import { createServer, type RequestListener } from 'node:http';
import { request } from 'undici';
import { expect, test } from 'vitest';
import { Stage } from './edge.fixture.ts';

const WITHIN = { timeout: 30_000 };

/** A stage with one edge, whose only service answers so. */
async function served(listener: RequestListener | ReturnType<typeof createServer>) {
  const stage = await Stage.set();
  const edge = await stage.edge();
  const host = await edge.knows(await stage.route(await stage.container(listener)));
  return {
    ...{ stage, edge, host },
    bytes: async () => (await stage.served()).map(({ bytes }) => bytes),
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  };
}

test('the bodies that a container answers with count, and nothing else', async () => {
  await using stage = await served(({ url }, response) => {
    if (url === '/broken') response.socket?.destroy();
    else response.setHeader('x-long', 'x'.repeat(1_000)).end('x'.repeat(Number(url?.slice(1))));
  });
  const { edge, host } = stage;
  const status = async (path: string, of = host, method: 'GET' | 'HEAD' = 'GET') => {
    const answer = await request(`${edge.url}${path}`, { method, headers: { host: of } });
    await answer.body.dump();
    return answer.statusCode;
  };
  expect(await status('/1000')).toBe(200);
  expect(await status('/0')).toBe(200);
  expect(await status('/1000', host, 'HEAD')).toBe(200);
  expect(await status('/broken')).toBe(502);
  expect(await status('/1000', 'nowhere.localhost')).toBe(404);
  expect(await status('/100000')).toBe(200);
  await expect.poll(stage.bytes, WITHIN).toEqual([101_000]);
});

test('so does what it sends over an upgraded connection, while that lasts', async () => {
  const server = createServer();
  server.on('upgrade', (_, socket) => {
    socket.write('HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly');
    socket.on('data', (data) => socket.write(data.toString().repeat(10)));
    socket.on('end', () => socket.end());
  });
  await using stage = await served(server);
  const { socket, text, closed } = await stage.edge.open();
  socket.write(
    `GET / HTTP/1.1\r\nHost: ${stage.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  await expect.poll(text, WITHIN).toContain('early');
  socket.write('0123456789');
  await expect.poll(stage.bytes, WITHIN).toEqual([105]);
  socket.end();
  await closed;
});

test('an edge that ends has told all, and is known to be gone', async () => {
  await using stage = await served((_, response) => response.end('x'.repeat(50)));
  const answer = await request(stage.edge.url, { headers: { host: stage.host } });
  await answer.body.dump();
  await stage.edge.close();
  expect(await stage.stage.served()).toMatchObject([{ bytes: 50, isGone: true }]);
});

test('a Redis that has lost what was served is told again', async () => {
  await using stage = await served((_, response) => response.end('x'.repeat(50)));
  const answer = await request(stage.edge.url, { headers: { host: stage.host } });
  await answer.body.dump();
  await expect.poll(stage.bytes, WITHIN).toEqual([50]);
  await stage.stage.forgetServed();
  expect(await stage.bytes()).toEqual([]);
  await expect.poll(stage.bytes, WITHIN).toEqual([50]);
});

test('an edge ends, though Redis is gone', async () => {
  await using stage = await served((_, response) => response.end('x'));
  await stage.stage.loseRedis();
  const answer = await request(stage.edge.url, { headers: { host: stage.host } });
  await answer.body.dump();
  await stage.edge.close();
});
