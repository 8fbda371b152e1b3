import { readdir } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import type { BuildEnd, BuildOrder, BuildStep } from '@slipway/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import { joinTestNode, type TestNode } from '../testing/node.fixture.ts';

/* The API's part of a build; what the node does is said by the test. */

const P = '/v1/organizations/local/projects/default';
const TAR = { 'content-type': 'application/x-tar' };
const SUCCEEDED = { state: 'succeeded' as const, digest: `sha256:${'0'.repeat(64)}` };
const now = () => new Date().toISOString();

let api: TestApi;
let node: TestNode;

beforeAll(async () => {
  api = await startTestApi();
  node = await joinTestNode(api);
});

afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

async function build(query = 'image=web', body = 'a tar'): Promise<{ id: string }> {
  const answer = await api.call('POST', `${P}/builds?${query}`, { body, headers: TAR });
  expect(answer).toMatchObject({ status: 202, body: { state: 'queued', steps: [] } });
  return answer.body;
}

async function take({ id }: { id: string }): Promise<BuildOrder> {
  const { order } = await node.builds.takeBuild({ nodeId: node.id, buildId: id });
  if (order === null) throw new Error(`${id} is not to be had`);
  return order;
}

const attemptOf = ({ id, attempt }: BuildOrder) => ({ nodeId: node.id, buildId: id, attempt });
const get = async ({ id }: { id: string }) => (await api.call('GET', `${P}/builds/${id}`)).body;
const end = (order: BuildOrder, how: BuildEnd = SUCCEEDED) =>
  node.builds.endBuild({ ...attemptOf(order), end: how });
const write = (order: BuildOrder, outputFrom: number, ...texts: string[]) =>
  node.builds.reportBuild({
    ...{ ...attemptOf(order), outputFrom },
    output: texts.map((written) => ({ step: 2, time: now(), text: written })),
  });
const step = (number: number, state: BuildStep['state']): BuildStep => {
  return { number, line: number, instruction: 'RUN make', state, cached: false };
};

test('a tar becomes a build in one step, which a node takes with all that it needs', async () => {
  const made = await build('image=tools/web&tag=v1&dockerfile=deploy/Dockerfile&target=run');
  expect(made).toMatchObject({ image: 'tools/web', tag: 'v1', target: 'run', digest: null });
  const order = await take(made);
  expect(order).toMatchObject({
    ...{ attempt: 1, place: 'local/default', repository: 'local/default/tools/web', tag: 'v1' },
    ...{ dockerfile: 'deploy/Dockerfile', target: 'run', args: {} },
  });
  expect(await node.context(attemptOf(order))).toBe('a tar');
  expect(await get(made)).toMatchObject({ state: 'running', finishedAt: null });
  await end(order);
  expect(await get(made)).toMatchObject({ ...SUCCEEDED, reason: 'completed' });
  expect(await node.context(attemptOf(order))).toBeNull();
});

test('an uploaded context serves several builds', async () => {
  const uploaded = await api.call('POST', `${P}/contexts`, { body: 'files', headers: TAR });
  expect(uploaded).toMatchObject({ status: 201, body: { sizeBytes: 5 } });
  const context = uploaded.body.id;
  for (const VERSION of ['1', '2']) {
    const body = { image: 'web', context, args: { VERSION } };
    const made = await api.call('POST', `${P}/builds`, { body });
    expect(made).toMatchObject({ status: 202, body: { context, dockerfile: 'Dockerfile' } });
    const order = await take(made.body);
    expect(order.args).toEqual({ VERSION });
    expect(await node.context(attemptOf(order))).toBe('files');
  }
  await api.addTenant('stranger');
});

test('what is wrong with a build is said of each field', async () => {
  const json = await api.call('POST', `${P}/builds`, {
    body: {
      image: 'Web',
      tag: '?',
      context: 'ctx_x',
      args: { 'a-b': 'c' },
      target: 'a b',
      git: 'x',
    },
  });
  expect(json.status).toBe(422);
  const paths = json.body.errors.map(({ path }: { path: string }) => path);
  expect(paths).toEqual(expect.arrayContaining(['image', 'tag', 'args.a-b', 'target']));
  const unknown = await api.call('POST', `${P}/builds`, {
    body: { image: 'web', context: 'ctx_x' },
  });
  expect(unknown).toMatchObject({ status: 422, body: { errors: [{ path: 'context' }] } });
  const nameless = await api.call('POST', `${P}/builds`, { body: 'x', headers: TAR });
  expect(nameless).toMatchObject({ status: 422, body: { errors: [{ path: 'query.image' }] } });
  const both = await api.call('POST', `${P}/builds?image=a`, {
    body: { image: 'b', context: 'c' },
  });
  expect(both).toMatchObject({ status: 422, body: { errors: [{ path: 'query.image' }] } });
  const empty = await api.call('POST', `${P}/contexts`, { body: '', headers: TAR });
  expect(empty).toMatchObject({ status: 400, body: { code: 'malformed-request' } });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  for (const path of ['builds?image=web', 'contexts', 'containers']) {
    const answer = await api.call('POST', `${P}/${path}`, { body: 'a=b', headers: form });
    expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } });
  }
});

test('a context that is too large or breaks off leaves nothing', async () => {
  const head = (length: number) =>
    [
      `POST ${P}/contexts HTTP/1.1`,
      ...['Host: x', `Authorization: Bearer ${api.token}`, 'Content-Type: application/x-tar'],
      ...[`Content-Length: ${length}`, '', 'some bytes'],
    ].join('\r\n');
  const { hostname, port } = new URL(api.url);
  const large = createConnection(Number(port), hostname);
  large.write(head(2 * 1024 ** 3));
  expect(await text(large)).toMatch(/^HTTP\/1.1 413 .*"code":"payload-too-large"/s);
  const broken = createConnection(Number(port), hostname);
  broken.end(head(1000));
  await text(broken);
  await expect.poll(() => readdir(`${api.blobsDir}/uploads`), { timeout: 30_000 }).toEqual([]);
});

test('one node has a build at a time, and who lost it is not heard any more', async () => {
  const made = await build();
  const order = await take(made);
  const { builds } = node;
  const taking = { nodeId: node.id, buildId: made.id };
  expect(await builds.takeBuild(taking)).toEqual({ order: null });
  expect(await write(order, 0, 'of the first')).toEqual({ goesOn: true });
  await builds.releaseBuilds({ nodeId: node.id });
  expect((await builds.waitingBuilds({ nodeId: node.id })).buildIds).toContain(made.id);
  const second = await take(made);
  expect(second.attempt).toBe(2);
  expect(await write(order, 1, 'too late')).toEqual({ goesOn: false });
  await end(order);
  expect(await get(made)).toMatchObject({ state: 'running' });
  await end(second, { state: 'failed', reason: 'command-failed', message: 'line 2' });
  await end(second);
  expect(await get(made)).toMatchObject({ state: 'failed', reason: 'command-failed' });
  const logs = await api.call('GET', `${P}/builds/${made.id}/logs`);
  expect(logs.body).toBe('of the firstThe node has ended: the build begins again.\n');
});

test('a build whose nodes always end fails, and says so', async () => {
  const made = await build();
  for (let attempt = 1; attempt <= 3; attempt++) {
    const order = await take(made);
    const steps = [step(1, 'succeeded'), step(2, 'running'), step(3, 'waiting')];
    await node.builds.reportBuild({ ...attemptOf(order), steps, outputFrom: 0, output: [] });
    await node.builds.releaseBuilds({ nodeId: node.id });
  }
  const { order } = await node.builds.takeBuild({ nodeId: node.id, buildId: made.id });
  expect(order).toBeNull();
  const failed = await get(made);
  expect(failed).toMatchObject({ state: 'failed', reason: 'node-lost' });
  expect(failed.steps.map(({ state }: BuildStep) => state)).toEqual([
    ...['succeeded', 'failed', 'waiting'],
  ]);
});

test('a report that is sent again is kept once; a step shows the end of what it wrote', async () => {
  const made = await build();
  const order = await take(made);
  await write(order, 0, 'a\n', 'b\n');
  await write(order, 0, 'a\n', 'b\n');
  await write(order, 2, `${'x'.repeat(20_000)}\n`, 'end\n');
  const steps = [step(1, 'succeeded'), step(2, 'running')];
  await node.builds.reportBuild({ ...attemptOf(order), steps, outputFrom: 4, output: [] });
  const { body } = await api.call('GET', `${P}/builds/${made.id}/logs`);
  expect(body).toBe(`a\nb\n${'x'.repeat(20_000)}\nend\n`);
  const [first, second] = (await get(made)).steps;
  expect(first.output).toBe('');
  expect(second.output).toMatch(/^x+\nend\n$/);
  expect(second.output).toHaveLength(16 * 1024);
  const records = await api.call('GET', `${P}/builds/${made.id}/logs`, {
    headers: { accept: 'application/x-ndjson' },
  });
  const line = records.body.split('\n')[0];
  expect(JSON.parse(line)).toMatchObject({ step: 2, text: 'a\n', cursor: expect.any(String) });
});

test('whoever follows a build reads what it writes as it comes, to its end', async () => {
  const made = await build();
  const order = await take(made);
  const headers = { authorization: `Bearer ${api.token}` };
  const answer = await fetch(`${api.url}${P}/builds/${made.id}/logs?follow=true`, { headers });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (const [index, said] of ['one\n', 'two\n'].entries()) {
    await write(order, index, said);
    expect(await reader?.read()).toEqual({ done: false, value: said });
  }
  const waiting = api.call('GET', `${P}/builds/${made.id}/wait?timeoutMs=60000`);
  await end(order);
  expect(await reader?.read()).toEqual({ done: true, value: undefined });
  expect(await waiting).toMatchObject({ status: 200, body: { state: 'succeeded' } });
});

test('a build is cancelled at once, whether it waits or runs; one that is over is not', async () => {
  const cancel = (id: string) => api.call('POST', `${P}/builds/${id}/cancel`);
  const waiting = await build();
  const cancelled = { state: 'cancelled', reason: 'cancelled' };
  expect(await cancel(waiting.id)).toMatchObject({ status: 202, body: cancelled });
  expect(await cancel(waiting.id)).toMatchObject({ status: 200, body: cancelled });
  const taking = { nodeId: node.id, buildId: waiting.id };
  expect(await node.builds.takeBuild(taking)).toEqual({ order: null });

  const running = await build();
  const order = await take(running);
  const steps = [step(1, 'running')];
  await node.builds.reportBuild({ ...attemptOf(order), steps, outputFrom: 0, output: [] });
  const { body } = await cancel(running.id);
  expect(body).toMatchObject({ ...cancelled, steps: [{ state: 'cancelled' }] });
  expect(await write(order, 0, 'late')).toEqual({ goesOn: false });
  await end(order);
  expect(await get(running)).toMatchObject(cancelled);

  const over = await build();
  await end(await take(over));
  expect(await cancel(over.id)).toMatchObject({ status: 409, body: { code: 'state-conflict' } });
});

test('a list has the newest first, in pages', async () => {
  const [first, second] = [await build(), await build()];
  const { body: page } = await api.call('GET', `${P}/builds?limit=1`);
  expect(page.items).toMatchObject([{ id: second.id }]);
  const next = await api.call('GET', `${P}/builds?limit=1&cursor=${page.nextCursor}`);
  expect(next.body.items).toMatchObject([{ id: first.id }]);
});

test('a build pulls what its organization may, and pushes one image with a token for just that', async () => {
  await pushTestImage(api, 'local/default/base', 'v1');
  await pushTestImage(api, 'library/busybox', 'latest');
  const made = await build('image=pushed');
  const order = await take(made);
  const push = await node.builds.grantPush(attemptOf(order));
  const ask = async (authorization: string, path: string, method = 'GET') =>
    (await fetch(`${api.registryUrl}/v2/${path}`, { method, headers: { authorization } })).status;
  const basic = (token: string | null) =>
    `Basic ${Buffer.from(`build:${token}`).toString('base64')}`;
  const derived = async (token: string | null) => {
    const scope = ['pushed', 'base'].map(
      (name) => `scope=repository:local/default/${name}:pull,push`,
    );
    const headers = { authorization: basic(token) };
    const asked = await fetch(`${api.registryUrl}/token?${scope.join('&')}`, { headers });
    return `Bearer ${((await asked.json()) as { token: string }).token}`;
  };
  for (const { token, pushed } of [
    { token: order.token, pushed: 401 },
    { token: push.token, pushed: 202 },
  ]) {
    for (const authorization of [basic(token), await derived(token)]) {
      expect(await ask(authorization, 'local/default/base/manifests/v1')).toBe(200);
      expect(await ask(authorization, 'local/default/pushed/blobs/uploads/', 'POST')).toBe(pushed);
      expect(await ask(authorization, 'local/default/base/blobs/uploads/', 'POST')).toBe(401);
      expect(await ask(authorization, 'stranger/web/x/manifests/v1')).toBe(404);
    }
    expect(await ask(basic(token), 'library/busybox/manifests/latest')).toBe(200);
    expect(await ask(await derived(token), 'library/busybox/manifests/latest')).toBe(401);
  }
  await api.call('POST', `${P}/builds/${made.id}/cancel`);
  expect(await node.builds.grantPush(attemptOf(order))).toEqual({ token: null });
});
