import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { pidOf, platform } from '../fixtures/platform.ts';
import { servicesIn } from '../fixtures/services.ts';

/* Bodies that no memory could hold. */

const { create, deployed, remove } = servicesIn(platform());

const MB = 1_000_000;
/** What is in sockets and streams on the way, and what the collector has not taken yet. */
const SLACK_BYTES = 64 * MB;
const ECHO = [
  ...['node', '-e'],
  `require('http').createServer((request, answer) => request.pipe(answer)).listen(process.env.PORT)`,
];

test('a body of 1 GB goes to a service and comes back the same, and the edge’s memory stays flat', async () => {
  const service = await create('echo-large', { image: 'node', command: ECHO });
  expect(await deployed(service)).toMatchObject({ state: 'succeeded' });
  const edge = pidOf('edge');
  await sentAndReceived(service.url, 100 * MB); // until buffers are as large as they get
  const before = peakOf(edge);
  const { sent, received } = await sentAndReceived(service.url, 1000 * MB);
  expect(received).toBe(sent);
  expect(peakOf(edge) - before).toBeLessThan(SLACK_BYTES);
  await remove(service);
});

/** @returns what both were, by their SHA-256 */
async function sentAndReceived(url: string, bytes: number) {
  const { host, port } = new URL(url);
  const post = request({ host: '127.0.0.1', port, method: 'POST', headers: { host } });
  const hash = { sent: createHash('sha256'), received: createHash('sha256') };
  const sending = pipeline(chunks(bytes, hash.sent), post);
  const [answer] = (await once(post, 'response')) as [IncomingMessage];
  for await (const chunk of answer) hash.received.update(chunk);
  await sending;
  return { sent: hash.sent.digest('hex'), received: hash.received.digest('hex') };
}

/** No two are alike. */
function chunks(bytes: number, hash: ReturnType<typeof createHash>): Readable {
  const chunk = Buffer.alloc(MB, 'slipway');
  const all = function* () {
    for (let n = 0; n < bytes / MB; n++) {
      const next = Buffer.from(chunk);
      next.writeUInt32BE(n);
      hash.update(next);
      yield next;
    }
  };
  return Readable.from(all());
}

/** The most memory that a process had since this was asked last, in bytes. @see proc(5), clear_refs, VmHWM */
function peakOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
