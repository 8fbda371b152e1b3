import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Stage, type TestEdge } from '../edge.fixture.ts';

let stage: Stage;
let edge: TestEdge;
let host: string;
/** requests that came through, with their bodies */
let seen: string[];
beforeAll(async () => {
  stage = await Stage.set();
  edge = await stage.edge();
  const server = createServer({ maxHeaderSize: 64 * 1024 }, async (incoming, response) => {
    let body = '';
    try {
      for await (const chunk of incoming) body += chunk;
      seen.push(`${incoming.method} ${incoming.url} ${body}`);
    } catch {} // cut
    response.end();
  });
  server.maxHeadersCount = 0;
  host = await edge.knows(await stage.route(await stage.container(server)));
});
beforeEach(() => {
  seen = [];
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

/** Would be a request of its own, for whom it is not the end of another one's body. */
const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: hidden.localhost\r\n\r\n';

test.each([
  ['a length and chunks', 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
  ['chunks and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', '0\r\n\r\n'],
  ['two lengths', 'Content-Length: 0\r\nContent-Length: 49\r\n', ''],
  ['twice the same length', 'Content-Length: 2\r\nContent-Length: 2\r\n', 'ab'],
  ['a list of lengths', 'Content-Length: 2, 2\r\n', 'ab'],
  ['a length with a sign', 'Content-Length: +2\r\n', 'ab'],
  ['a length that is none', 'Content-Length: 0x2\r\n', 'ab'],
  ['a space before the colon', 'Content-Length : 2\r\n', 'ab'],
  ['a coding with a space before the colon', 'Transfer-Encoding : chunked\r\n', '0\r\n\r\n'],
  ['a folded header', 'X-A: 1\r\n Content-Length: 2\r\n', 'ab'],
  ['a folded first header', ' Content-Length: 2\r\n', 'ab'],
  ['a coding that does not end', 'Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'],
  ['a coding that nobody knows', 'Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'],
  ['a coding before chunks', 'Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'],
  ['chunks twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
  ['a bare line feed', 'X-A: 1\nContent-Length: 2\r\n', 'ab'],
  ['a bare carriage return', 'X-A: 1\rContent-Length: 2\r\n', 'ab'],
  ['a null byte', 'X-A: 1\0\r\n', ''],
  ['two hosts', 'Host: other.localhost\r\n', ''],
])('%s: refused, and nothing of it reaches a container', async (_, lines, body) => {
  const text = await edge.exchange(
    `POST /outer HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${lines}\r\n${body}${HIDDEN}`,
  );
  expect(text).toMatch(/^HTTP\/1.1 400 [\s\S]*"malformed-request"/);
  expect(text.match(/HTTP\/1.1 \d+/g)).toHaveLength(1);
  expect(text).not.toMatch(/slipway-served/i);
  expect(seen).toEqual([]);
});

test.each([
  ['a line feed alone after its size', '4\nbody\r\n0\r\n\r\n'],
  ['a size that is none', 'x\r\nbody\r\n0\r\n\r\n'],
  ['more than its size', '2\r\nbody\r\n0\r\n\r\n'],
  ['a line feed in an extension', '4;a\nb\r\nbody\r\n0\r\n\r\n'],
])('a chunk with %s: no container sees a whole request', async (_, chunks) => {
  const { socket, closed, text } = await edge.open();
  socket.write(`POST /outer HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n`);
  socket.write(chunks + HIDDEN);
  await closed;
  expect(text()).not.toMatch(/HTTP\/1.1 [123]/);
  expect(seen).toEqual([]);
});

test('requests that are sent without waiting are two, answered in order', async () => {
  const one = `POST /one HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 3\r\n\r\n1st`;
  const two = `POST /two HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\n2nd\r\n0\r\n\r\n`;
  const text = await edge.exchange(one + two);
  expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(2);
  expect(seen.toSorted()).toEqual(['POST /one 1st', 'POST /two 2nd']);
});

test('only a path, or * of OPTIONS, is a target', async () => {
  const targets = ['GET http://HOST/', 'GET *', 'GET x', 'CONNECT HOST:80', 'OPTIONS http://HOST/'];
  for (const target of targets) {
    const line = `${target.replace('HOST', host)} HTTP/1.1`;
    const text = await edge.exchange(`${line}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(text, target).toMatch(/^HTTP\/1.1 400 /);
  }
  expect(seen).toEqual([]);
  const text = await edge.exchange(
    `OPTIONS * HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
  );
  expect(text).toMatch(/^HTTP\/1.1 204 /);
});

test('a request without a Host is refused', async () => {
  const text = await edge.exchange('GET / HTTP/1.1\r\nConnection: close\r\n\r\n');
  expect(text).toMatch(/^HTTP\/1.1 400 [\s\S]*"malformed-request"/);
});

test('headers larger than 16 KiB are refused', async () => {
  const large = `X-Large: ${'x'.repeat(17 * 1024)}`;
  const text = await edge.exchange(`GET / HTTP/1.1\r\nHost: ${host}\r\n${large}\r\n\r\n`);
  expect(text).toMatch(/^HTTP\/1.1 431 [\s\S]*"headers-too-large"/);
  expect(seen).toEqual([]);
  const refused = { msg: 'unreadable request', status: 431, ip: '127.0.0.1' };
  await expect.poll(() => edge.log).toContainEqual(expect.objectContaining(refused));
});

test('many headers are all there, as long as they are small', async () => {
  const many = Array.from({ length: 2_500 }, (_, index) => `${index}:`).join('\r\n');
  const text = await edge.exchange(
    `POST /many HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${many}\r\nContent-Length: 4\r\n\r\nbody`,
  );
  expect(text).toMatch(/^HTTP\/1.1 200 /);
  expect(seen).toEqual(['POST /many body']);
});

test('what is no HTTP is refused, and closed', async () => {
  expect(await edge.exchange('\x16\x03\x01\x02\x00\x01')).toMatch(/^HTTP\/1.1 400 /);
});
