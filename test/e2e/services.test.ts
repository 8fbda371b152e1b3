import { ask } from '@slipway/infra';
import { expect, test, vi } from 'vitest';
import { buildsIn } from '../fixtures/builds.ts';
import { containersIn } from '../fixtures/containers.ts';
import { flushRedis, otherProject, pidOf, platform } from '../fixtures/platform.ts';
import { servicesIn } from '../fixtures/services.ts';

/* Services as a tenant has them, and their URLs as anybody has. */

const { create, deployed, get, remove } = servicesIn(platform());
const { wait, logs } = containersIn(platform());
const WITHIN = { timeout: 60_000 };

/** Answers every request with what it is given, and who it is. */
const echo = (port = '+process.env.PORT') => [
  ...['node', '-e'],
  `require('http').createServer((q, a) => {
    if (q.url === '/exit') process.exit(1);
    a.end(JSON.stringify({ url: q.url, headers: q.headers, pid: process.uptime() }));
  }).listen(${port})`,
];
const serving = async (name: string, template: object = {}) => {
  const service = await create(name, { image: 'node', command: echo(), ...template });
  expect(await deployed(service)).toMatchObject({ state: 'succeeded', reason: 'completed' });
  return service;
};

test('a Dockerfile becomes an image, the image a service, and the service’s URL answers', async () => {
  const { build, wait: built } = buildsIn(platform());
  const files = {
    Dockerfile: 'FROM node\nWORKDIR /app\nCOPY server.js .\nCMD ["node", "server.js"]\n',
    'server.js': `require('http').createServer((_, a) => a.end('hello')).listen(process.env.PORT)`,
  };
  expect(await built(await build('hello', files))).toMatchObject({ state: 'succeeded' });
  const service = await create('hello', { image: 'hello' });
  expect(await deployed(service)).toMatchObject({ state: 'succeeded' });
  const answer = await ask(service.url);
  expect(answer).toMatchObject({
    status: 200,
    body: 'hello',
    headers: { 'slipway-served': 'hot' },
  });
  expect(await get(service)).toMatchObject({ serving: true });
});

test('a service hears of its request what was asked, not what a client claims', async () => {
  const service = await serving('echo', { port: 3000, health: { path: '/healthz' } });
  const { url, headers } = JSON.parse((await ask(`${service.url}/a?b=c`)).body);
  expect(url).toBe('/a?b=c');
  const { host } = new URL(service.url);
  expect(headers).toMatchObject({ host, 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': host });
});

test('a host that is no service’s is 404, by the edge itself', async () => {
  const { edge } = platform();
  for (const url of [edge, edge.replace('127.0.0.1', 'nothing.localhost')]) {
    const answer = await ask(url);
    expect(answer).toMatchObject({ status: 404, body: expect.stringContaining('not-found') });
    expect(answer.headers).not.toHaveProperty('slipway-served');
  }
});

test('what does not come up fails its deploy with what was in the way; its logs can be read', async () => {
  const ends = await create('ends', {
    image: 'busybox',
    command: ['sh', '-c', "printf '\\0 oops\\n'; exit 3"], // PostgreSQL takes no NUL
  });
  const deaf = await create('deaf', {
    ...{ image: 'node', command: echo('3000, "127.0.0.1"'), port: 3000 },
    health: { timeoutMs: 2_000 },
  });
  const ended = await deployed(ends);
  expect(ended).toMatchObject({ state: 'failed', reason: 'instance-ended' });
  expect(ended.message).toContain('exit code 3');
  const container = await wait({ id: ended.container ?? '' }, 'exited');
  expect(await logs(container)).toBe('\0 oops\n');
  expect(ended.failure).toMatchObject({
    instance: { state: 'exited', exitCode: 3, reason: 'error' },
    lastLines: [{ stream: 'stdout', line: '\ufffd oops' }],
  });
  const unhealthy = await deployed(deaf);
  expect(unhealthy).toMatchObject({ state: 'failed', reason: 'unhealthy' });
  expect(unhealthy.message).toContain('port 3000, or only on 127.0.0.1');
  expect(unhealthy.failure).toMatchObject({
    probe: { port: 3000, path: null, message: expect.stringContaining('port 3000') },
    ...{ instance: { state: 'running' }, lastLines: [] },
  });
  expect(await ask(deaf.url)).toMatchObject({
    ...{ status: 503, body: expect.stringContaining('no-instance') },
  });
  for (const service of [ends, deaf]) await remove(service);
});

test('an instance that ends is started again', async () => {
  const service = await serving('crashing');
  expect(await ask(`${service.url}/exit`)).toMatchObject({ status: 502 });
  await vi.waitFor(
    async () => expect(await ask(service.url)).toMatchObject({ status: 200 }),
    WITHIN,
  );
});

test('a URL answers while API, PostgreSQL and Redis are away, and after Redis lost everything', async () => {
  const service = await serving('alone');
  const names = ['api', 'postgres', 'redis'] as const;
  for (const name of names) process.kill(pidOf(name), 'SIGSTOP');
  const answer = await ask(service.url).finally(() => {
    for (const name of names) process.kill(pidOf(name), 'SIGCONT');
  });
  expect(answer).toMatchObject({ status: 200 });
  await flushRedis();
  process.kill(pidOf('edge'), 'SIGKILL');
  await vi.waitFor(
    async () => expect(await ask(service.url)).toMatchObject({ status: 200 }),
    WITHIN,
  );
});

test('a URL answers again after its agent, its engine and the edge were killed', async () => {
  const service = await serving('survivor');
  for (const name of ['agent', 'containerd', 'edge']) process.kill(pidOf(name), 'SIGKILL');
  await vi.waitFor(
    async () => expect(await ask(service.url)).toMatchObject({ status: 200 }),
    WITHIN,
  );
  expect(JSON.parse((await ask(service.url)).body).pid).toBeGreaterThan(0);
});

test('a deleted service answers nothing any more, and leaves no container', async () => {
  const service = await serving('deleted');
  const { container } = await deployed(service);
  await remove(service);
  await vi.waitFor(
    async () => expect(await ask(service.url)).toMatchObject({ status: 404 }),
    WITHIN,
  );
  await wait({ id: container ?? '' }, 'removed');
});

test('another organization sees nothing of a service, and cannot use its image', async () => {
  const service = await serving('mine');
  const theirs = servicesIn(await otherProject('services-stranger'));
  expect(await theirs.get(service)).toBeUndefined();
  expect((await theirs.remove(service)).response.status).toBe(404);
  expect(await theirs.list()).toEqual([]);
  await expect(theirs.create('copy', { image: 'local/default/hello' })).rejects.toThrow(
    'template.image',
  );
});
