import { createServer, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stage, type TestEdge } from '../edge.fixture.ts';

let stage: Stage;
let edge: TestEdge;
beforeAll(async () => {
  stage = await Stage.set();
  edge = await stage.edge();
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const ACCEPTED =
  'HTTP/1.1 101 Welcome\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: k\r\nSec-WebSocket-Protocol: chat\r\nSlipway-Served: forged\r\n\r\n';

/** A container that agrees to leave HTTP. @returns the host, and what it does with each connection */
async function upgrading(onSocket: (socket: Socket, head: Buffer) => void, also?: RequestListener) {
  const server = createServer(also);
  server.on('upgrade', (_, duplex, head) => {
    const socket = duplex as Socket;
    socket.write(`${ACCEPTED}early `);
    onSocket(socket, head);
  });
  return edge.knows(await stage.route(await stage.container(server)));
}

const asking = (host: string, more = '') =>
  `GET /chat HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`;

test('an upgrade carries bytes both ways, those sent with the heads too', async () => {
  const host = await upgrading((socket, head) => {
    socket.write(head);
    socket.pipe(socket);
  });
  const { socket, text, closed } = await edge.open();
  socket.write(`${asking(host)}first `);
  await expect.poll(text).toMatch(/early first $/);
  expect(text()).toMatch(/^HTTP\/1.1 101 /);
  expect(text()).toContain('Sec-WebSocket-Accept: k\r\nSec-WebSocket-Protocol: chat\r\n');
  expect(text()).toContain('Slipway-Served: hot\r\n');
  expect(text()).not.toContain('forged');
  expect(text().match(/^(connection|upgrade): .+$/gim)).toHaveLength(2);
  socket.write('second');
  await expect.poll(text).toMatch(/early first second$/);
  socket.end();
  await closed;
  await expect.poll(() => edge.log).toContainEqual(expect.objectContaining({ host, status: 101 }));
});

test('much that is sent at the end of an upgraded connection arrives', async () => {
  const host = await upgrading((socket) => {
    socket.once('data', () => socket.end(Buffer.alloc(5_000_000, 'x')));
  });
  const { socket, text, closed } = await edge.open();
  socket.write(`${asking(host)}go`);
  await closed;
  expect(text().match(/x{5000000}$/)).not.toBeNull();
});

test('when one side of an upgraded connection is gone, the other goes', async () => {
  const accepted: Socket[] = [];
  const host = await upgrading((socket) => {
    socket.resume().on('error', () => {}); // what it is sent it reads
    socket.on('end', () => socket.end());
    accepted.push(socket);
  });
  const [leaving, staying] = await Promise.all([edge.open(), edge.open()]);
  leaving.socket.write(asking(host));
  await expect.poll(leaving.text).toContain('early');
  leaving.socket.resetAndDestroy();
  await expect.poll(() => accepted[0]?.closed).toBe(true);

  staying.socket.write(asking(host));
  await expect.poll(staying.text).toContain('early');
  accepted[1]?.resetAndDestroy();
  await staying.closed;
});

test('a client that goes away before its upgrade is answered ends it at the container', async () => {
  const arrived = Promise.withResolvers<Socket>();
  const mute = await stage.rawContainer((socket) => {
    socket.once('data', () => arrived.resolve(socket.resume()));
  });
  const host = await edge.knows(await stage.route(mute));
  const { socket } = await edge.open();
  socket.write(asking(host));
  const container = await arrived.promise;
  socket.destroy();
  await expect.poll(() => container.closed).toBe(true);
});

test('an upgrade that the container refuses is answered as it answered', async () => {
  const instance = await stage.container((_, response) => {
    response.writeHead(426, { upgrade: 'websocket' }).end('x'.repeat(1_000_000));
  });
  const text = await edge.exchange(asking(await edge.knows(await stage.route(instance))));
  expect(text).toMatch(/^HTTP\/1.1 426 /);
  expect(text).toContain('Slipway-Served: hot\r\n');
  expect(text.match(/x/g)?.length).toBeGreaterThanOrEqual(1_000_000);
});

test('an upgrade that leads nowhere is a problem', async () => {
  expect(await edge.exchange(asking('nobody.localhost'))).toMatch(
    /^HTTP\/1.1 404 [\s\S]*"not-found"/,
  );
  const away = await edge.knows(await stage.route(stage.agent.knows(null, 80)));
  expect(await edge.exchange(asking(away))).toMatch(/^HTTP\/1.1 503 [\s\S]*"no-instance"/);
  const mute = await stage.rawContainer((socket) => socket.once('data', () => socket.end()));
  const host = await edge.knows(await stage.route(mute));
  expect(await edge.exchange(asking(host))).toMatch(/^HTTP\/1.1 502 [\s\S]*"upstream-failed"/);
});

test('a request with a body, or one for HTTP/2, stays what it is', async () => {
  const seen: unknown[] = [];
  const host = await upgrading(
    () => seen.push('upgraded'),
    (incoming, response) => {
      seen.push(incoming.headers.upgrade);
      incoming.pipe(response);
    },
  );
  const tail = `Host: ${host}\r\nConnection: close, Upgrade\r\n`;
  const body = 'Upgrade: websocket\r\nContent-Length: 4\r\n\r\nbody';
  expect(await edge.exchange(`GET / HTTP/1.1\r\n${tail}${body}`)).toMatch(/body/);
  const h2c = 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n';
  expect(await edge.exchange(`GET / HTTP/1.1\r\n${tail}${h2c}`)).toMatch(/^HTTP\/1.1 200 /);
  expect(seen).toEqual([undefined, undefined]);
});
