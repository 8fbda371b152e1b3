import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Stage } from '../edge.fixture.ts';

const WITHIN = { timeout: 30_000 };

let stage: Stage;
let edge: Awaited<ReturnType<Stage['edge']>>;
beforeAll(async () => {
  stage = await Stage.set();
  edge = await stage.edge();
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A service of one container. @returns its host, which the edge knows */
async function service(answer: Answer): Promise<string> {
  return edge.knows(await stage.route(await stage.container(answer)));
}

const get = (host: string, path = '/', headers: Record<string, string> = {}) =>
  request(`${edge.url}${path}`, { headers: { ...headers, host } });

test('a host that no service has is a 404, a problem, and nobody’s answer', async () => {
  const answer = await get('nobody.localhost', '/a?b');
  expect(answer.statusCode).toBe(404);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.headers).not.toHaveProperty('slipway-served');
  expect(await answer.body.json()).toMatchObject({
    code: 'not-found',
    status: 404,
    instance: '/a',
  });
});

test('a host is found in any case, with a port and with its final dot', async () => {
  const host = await service((_, response) => response.end('here'));
  for (const written of [host.toUpperCase(), `${host}:80`, `${host}.`, `${host}.:7780`]) {
    expect(await (await get(written)).body.text()).toBe('here');
  }
});

test('a container learns who asked from the edge only, and its Host is as the client sent it', async () => {
  let seen: string[] = [];
  const host = await service(({ rawHeaders }, response) => {
    seen = rawHeaders;
    response.end();
  });
  const forged = ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Port'];
  const lines = [...forged, 'X_Forwarded_For', 'Forwarded', 'X-Real-IP'].map(
    (name) => `${name}: forged`,
  );
  const head = [
    `GET / HTTP/1.1`,
    `hOsT: ${host.toUpperCase()}:7780`,
    ...lines,
    'Connection: close',
  ];
  await edge.exchange(`${head.join('\r\n')}\r\n\r\n`);
  expect(seen.join()).not.toContain('forged');
  const authority = `${host.toUpperCase()}:7780`;
  expect(headersOf(seen)).toEqual({
    host: [authority],
    connection: ['keep-alive'],
    'x-forwarded-for': ['127.0.0.1'],
    'x-forwarded-proto': ['http'],
    'x-forwarded-host': [authority],
    forwarded: [`for=127.0.0.1;host="${authority}";proto=http`],
  });
});

function headersOf(rawHeaders: readonly string[]): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    all[name] = [...(all[name] ?? []), rawHeaders[index + 1] ?? ''];
  }
  return all;
}

test('headers of one connection end there, repeated ones and odd bytes go on, both ways', async () => {
  let seen: string[] = [];
  const host = await service(({ rawHeaders }, response) => {
    seen = rawHeaders;
    const headers = ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'X-Odd', 'na\xefve'];
    const hop = [
      'Connection',
      'x-mine',
      'X-Mine',
      '1',
      'Keep-Alive',
      'timeout=9',
      'Proxy-Authenticate',
      'y',
    ];
    response.writeHead(200, [
      ...headers,
      ...hop,
      'Slipway-Served',
      'forged',
      'Content-Length',
      '2',
    ]);
    response.end(Buffer.from('ok'));
  });
  const text = await edge.exchange(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close, X-Mine, Host\r\nX-Mine: 1\r\nCookie: a=1\r\nX-Odd: na\xefve\r\n` +
      'X-Twice: 1\r\nX-Twice: 2\r\nTE: trailers\r\nTrailer: x\r\nKeep-Alive: 5\r\nProxy-Authorization: z\r\nProxy-Connection: keep-alive\r\n\r\n',
  );
  const forwarded = headersOf(seen);
  expect(forwarded).toMatchObject({
    host: [host],
    'x-twice': ['1', '2'],
    'x-odd': ['na\xefve'],
    cookie: ['a=1'],
  });
  for (const name of [
    'x-mine',
    'te',
    'trailer',
    'keep-alive',
    'proxy-authorization',
    'proxy-connection',
  ]) {
    expect(forwarded).not.toHaveProperty(name);
  }
  expect(text).toContain('Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Odd: na\xefve\r\n');
  expect(text).toMatch(/Slipway-Served: hot\r\n/);
  expect(text).not.toMatch(/x-mine|timeout=9|proxy-|forged/i);
  expect(text).toMatch(/\r\n\r\nok$/);
});

test('a body of 50 MB is the same on the other side, both ways at once', async () => {
  const host = await service(
    (incoming, response) => void pipeline(incoming, response).catch(() => {}),
  );
  const sent = createHash('sha256');
  const received = createHash('sha256');
  const chunk = randomBytes(1_000_000);
  function* chunks() {
    for (let index = 0; index < 50; index++) {
      sent.update(chunk);
      yield chunk;
    }
  }
  const answer = await request(edge.url, {
    ...{
      method: 'PUT',
      headers: { host, 'content-length': '50000000' },
      body: Readable.from(chunks()),
    },
  });
  for await (const part of answer.body) received.update(part);
  expect(received.digest('hex')).toBe(sent.digest('hex'));
});

test('a part of a body arrives before the next one is sent, both ways, its length kept or its chunks', async () => {
  const host = await service((incoming, response) => {
    response.setHeader('x-length', incoming.headers['content-length'] ?? 'none');
    response.setHeader('x-coding', incoming.headers['transfer-encoding'] ?? 'none');
    incoming.on('data', (part: Buffer) => response.write(part)).on('end', () => response.end());
  });
  for (const length of [6, null]) {
    const headers = length === null ? { host } : { host, 'content-length': length };
    const sender = httpRequest(edge.url, { method: 'POST', headers });
    sender.write('one');
    const [answer] = (await once(sender, 'response')) as [IncomingMessage];
    expect(answer.headers).toMatchObject(
      length === null
        ? { 'x-length': 'none', 'x-coding': 'chunked' }
        : { 'x-length': '6', 'x-coding': 'none' },
    );
    let text = '';
    answer.on('data', (part: Buffer) => {
      text += String(part);
    });
    await expect.poll(() => text).toBe('one');
    sender.end('two');
    await once(answer, 'end');
    expect(text).toBe('onetwo');
  }
});

/** @returns whether a count is what it was at the last call */
function rest(count: () => number): () => boolean {
  let before = -1;
  return () => {
    const isSame = before === count();
    before = count();
    return isSame;
  };
}

test('a sender that nobody takes anything from is made to wait', async () => {
  const hold = Promise.withResolvers<void>();
  const host = await service(async (incoming, response) => {
    incoming.pause();
    await hold.promise;
    incoming.resume().on('end', () => response.end('done'));
  });
  let sent = 0;
  function* chunks() {
    for (; sent < 200; sent++) yield Buffer.alloc(1_000_000);
  }
  const answer = request(edge.url, {
    method: 'PUT',
    headers: { host },
    body: Readable.from(chunks()),
  });
  await vi.waitFor(() => expect(sent).toBeGreaterThan(0), WITHIN);
  await expect
    .poll(
      rest(() => sent),
      { interval: 300 },
    )
    .toBe(true);
  expect(sent).toBeLessThan(100);
  hold.resolve();
  expect(await (await answer).body.text()).toBe('done');
});

test('a container whose answer nobody takes is made to wait', async () => {
  let sent = 0;
  const host = await service((_, response) => {
    function* chunks() {
      for (; sent < 200; sent++) yield Buffer.alloc(1_000_000);
    }
    pipeline(Readable.from(chunks()), response).catch(() => {});
  });
  const { socket, text, closed } = await edge.open();
  socket.pause();
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  await vi.waitFor(() => expect(sent).toBeGreaterThan(0), WITHIN);
  await expect
    .poll(
      rest(() => sent),
      { interval: 300 },
    )
    .toBe(true);
  expect(sent).toBeLessThan(100);
  socket.resume();
  await closed;
  expect(text().length).toBeGreaterThan(200_000_000);
});

test('the head of an event stream is there before its first event', async () => {
  const events = Promise.withResolvers<ServerResponse>();
  const host = await service((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    events.resolve(response);
  });
  const answer = await get(host);
  expect(answer.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'slipway-served': 'hot',
  });
  (await events.promise).end('data: 1\n\n');
  expect(await answer.body.text()).toBe('data: 1\n\n');
});

test('answers without a body are whole, and their connection goes on', async () => {
  const host = await service(({ url, method }, response) => {
    if (method === 'HEAD') response.writeHead(200, { 'content-length': '5' }).end();
    else response.writeHead(Number(url?.slice(1)), { etag: '"1"' }).end();
  });
  const head = (method: string, path: string, end = '') =>
    `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${end}\r\n`;
  const text = await edge.exchange(
    head('HEAD', '/') +
      head('GET', '/204') +
      head('GET', '/304') +
      head('GET', '/302', 'Connection: close\r\n'),
  );
  expect(text.match(/^HTTP\/1.1 \d+/gm)).toEqual(
    ['200', '204', '304', '302'].map((status) => `HTTP/1.1 ${status}`),
  );
  expect(text.match(/content-length: \d/gi)?.[0]).toMatch(/5$/);
});

test('an answer that comes before the body was taken reaches the client whole', async () => {
  const host = await service((_, response) => {
    response.writeHead(413, { 'content-length': '9', connection: 'close' }).end('too large');
  });
  const { socket, text } = await edge.open();
  socket.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1000000\r\n\r\npart`);
  await expect.poll(text).toMatch(/^HTTP\/1.1 413[\s\S]*too large$/);
  socket.destroy();
});

test('Expect is answered by the edge, and not told', async () => {
  let expected: string | undefined = 'unseen';
  const host = await service((incoming, response) => {
    expected = incoming.headers.expect;
    incoming.pipe(response);
  });
  const { socket, text, closed } = await edge.open();
  socket.write(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n`,
  );
  await expect.poll(text).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  socket.write('body');
  await closed;
  expect(text()).toMatch(/body/);
  expect(expected).toBeUndefined();
});

test('a client that goes away ends its request at the container', async () => {
  for (const hasHead of [false, true]) {
    const arrived = Promise.withResolvers<ServerResponse>();
    const host = await service((_, response) => {
      if (hasHead) response.write('part');
      arrived.resolve(response);
    });
    const { socket, text } = await edge.open();
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const response = await arrived.promise;
    if (hasHead) await expect.poll(text).toContain('part');
    socket.destroy();
    await once(response, 'close');
    expect(response.writableFinished).toBe(false);
  }
});

test('a client that breaks off its body is not taken for one that ended it', async () => {
  for (const framing of ['Content-Length: 10', 'Transfer-Encoding: chunked']) {
    const arrived = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<boolean>();
    const host = await service((incoming) => {
      incoming.once('data', () => arrived.resolve()).on('error', () => {});
      incoming.on('close', () => ended.resolve(incoming.complete));
    });
    const { socket } = await edge.open();
    socket.write(`POST / HTTP/1.1\r\nHost: ${host}\r\n${framing}\r\n\r\n4\r\npart\r\n`);
    await arrived.promise;
    socket.end();
    expect(await ended.promise).toBe(false);
  }
});

test('a container that dies in the middle of an answer cuts the client', async () => {
  for (const headers of [{ 'content-length': '100' }, {}]) {
    const host = await service((_, response) => {
      response.writeHead(200, headers);
      response.write('part', () => response.destroy());
    });
    const answer = await get(host);
    await expect(answer.body.text()).rejects.toThrow();
  }
});

test('a container that closes before an answer, or does not speak HTTP, is a 502', async () => {
  const closes = await stage.rawContainer((socket) => socket.once('data', () => socket.end()));
  const resets = await stage.rawContainer((socket) =>
    socket.once('data', () => socket.resetAndDestroy()),
  );
  const odd = [
    'SSH-2.0-x\r\n\r\n',
    'HTTP/1.1 999999 x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n',
    'HTTP/1.1 101 x\r\n\r\n',
  ];
  const talks = odd.map((text) =>
    stage.rawContainer((socket) => socket.once('data', () => socket.end(text))),
  );
  for (const instance of [closes, resets, ...(await Promise.all(talks))]) {
    const answer = await get(await edge.knows(await stage.route(instance)));
    expect(answer.statusCode).toBe(502);
    expect(answer.headers).not.toHaveProperty('slipway-served');
    expect(await answer.body.json()).toMatchObject({ code: 'upstream-failed' });
  }
});

test('an answer with two ideas of its length is not passed on', async () => {
  const odd = [
    'Content-Length: 2\r\nContent-Length: 3',
    'Content-Length: 2\r\nTransfer-Encoding: chunked',
  ];
  for (const lines of odd) {
    const instance = await stage.rawContainer((socket) =>
      socket.once('data', () =>
        socket.end(`HTTP/1.1 200 OK\r\n${lines}\r\n\r\n2\r\nab\r\n0\r\n\r\n`),
      ),
    );
    const answer = await get(await edge.knows(await stage.route(instance)));
    expect(answer.statusCode).toBe(502);
    await answer.body.dump();
  }
});

test('a container that does not answer in time is a 504', async () => {
  const hasty = await stage.edge({ headTimeoutMs: 50 });
  const host = await service(() => {});
  const answer = await request(hasty.url, { headers: { host } });
  expect(answer.statusCode).toBe(504);
  expect(await answer.body.json()).toMatchObject({ code: 'upstream-timeout' });
});

/** The lines of the log for a host; each request makes one when it is over. */
const linesOf = (host: string, count: number) =>
  vi.waitFor(() => {
    const lines = edge.log.filter((line) => line.host === host && line.method !== 'OPTIONS');
    expect(lines).toHaveLength(count);
    return lines;
  }, WITHIN);

test('each request is one line of the log, without what its query holds', async () => {
  const host = await service((_, response) => response.writeHead(201).end());
  await (await get(host, '/a?token=hunter2')).body.dump();
  const [line] = await linesOf(host, 1);
  expect(line).toEqual({
    ...{ level: 'info', time: expect.any(String), name: 'edge', msg: 'request' },
    ...{ method: 'GET', host, path: '/a', status: 201, durationMs: expect.any(Number) },
    ...{ ip: '127.0.0.1', serviceId: 'svc_1', revisionId: 'rev_1', containerId: 'ctr_1' },
  });
});

test('the log says which answers were ours, which were cut, and which nobody waited for', async () => {
  const host = await service(({ url }, response) => {
    if (url === '/cut') response.writeHead(200).write('some', () => response.destroy());
  });
  const nobody = `nobody-${host}`;
  await (await get(nobody)).body.dump();
  expect(await linesOf(nobody, 1)).toMatchObject([{ status: 404, code: 'not-found' }]);

  await expect((await get(host, '/cut')).body.text()).rejects.toThrow();
  expect(await linesOf(host, 1)).toMatchObject([{ status: 200, aborted: true }]);

  const { socket } = await edge.open();
  socket.write(`GET /long?a HTTP/1.1\r\nHost: ${host}\r\n\r\n`, () => socket.destroy());
  const [, line] = await linesOf(host, 2);
  expect(line).toMatchObject({ path: '/long', status: null, aborted: true });
});
