import { readdir } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import type { BuildStep } from '@slipway/contracts';
import { openDatabase } from '@slipway/db';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { SUCCEEDED, TAR, testBuilds, testStep } from '../testing/build.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import { joinTestNode, type TestNode } from '../testing/node.fixture.ts';

/* The API's part of a build; what the node does is said by the test. */

const P = '/v1/organizations/local/projects/default';

let api: TestApi;
let node: TestNode;
let builds: ReturnType<typeof testBuilds>;

beforeAll(async () => {
  api = await startTestApi();
  node = await joinTestNode(api);
  builds = testBuilds(api, node);
});

afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

const cancel = (id: string) => api.call('POST', `${P}/builds/${id}/cancel`);

test('a tar becomes a build in one step, which a node takes with all that it needs', async () => {
  const made = await builds.build('image=tools/web&tag=v1&dockerfile=deploy/Dockerfile&target=run');
  expect(made).toMatchObject({ image: 'tools/web', tag: 'v1', target: 'run', digest: null });
  const order = await builds.take(made);
  expect(order).toMatchObject({
    ...{ attempt: 1, place: 'local/default', repository: 'local/default/tools/web', tag: 'v1' },
    ...{ dockerfile: 'deploy/Dockerfile', target: 'run', args: {} },
  });
  expect(await node.context(builds.attemptOf(order))).toBe('a tar');
  expect(await builds.get(made)).toMatchObject({ state: 'running', finishedAt: null });
  await builds.end(order);
  expect(await builds.get(made)).toMatchObject({ ...SUCCEEDED, reason: 'completed' });
  expect(await node.context(builds.attemptOf(order))).toBeNull();
});

test('an uploaded context serves several builds', async () => {
  const uploaded = await api.call('POST', `${P}/contexts`, { body: 'files', headers: TAR });
  expect(uploaded).toMatchObject({ status: 201, body: { sizeBytes: 5 } });
  const context = uploaded.body.id;
  for (const VERSION of ['1', '2']) {
    const body = { image: 'web', context, args: { VERSION } };
    const made = await api.call('POST', `${P}/builds`, { body });
    expect(made).toMatchObject({ status: 202, body: { context, dockerfile: 'Dockerfile' } });
    const order = await builds.take(made.body);
    expect(order.args).toEqual({ VERSION });
    expect(await node.context(builds.attemptOf(order))).toBe('files');
  }
  await api.addTenant('stranger');
});

test('secrets reach who makes the build, and nobody else; once it is over they are forgotten', async () => {
  const { body: uploaded } = await api.call('POST', `${P}/contexts`, { body: 'x', headers: TAR });
  const body = { image: 'web', context: uploaded.id, secrets: { token: 'hunter2' } };
  const rowOf = async ({ id }: { id: string }) => {
    const database = openDatabase(api.databaseUrl);
    const row = await database.prisma.build.findUniqueOrThrow({ where: { id } });
    await database.close();
    return row;
  };
  const made = async () => (await api.call('POST', `${P}/builds`, { body })).body;
  const [succeeding, failing, cancelled] = [await made(), await made(), await made()];
  for (const some of [succeeding, failing, cancelled]) {
    expect((await rowOf(some)).sealedSecrets).not.toBeNull();
    expect(JSON.stringify([some, await builds.get(some), await rowOf(some)])).not.toMatch(
      /hunter2/,
    );
  }
  const order = await builds.take(succeeding);
  expect(order.secrets).toEqual({ token: 'hunter2' });
  await builds.end(order);
  await builds.end(await builds.take(failing), {
    ...{ state: 'failed', reason: 'command-failed', message: 'line 2' },
  });
  await cancel(cancelled.id);
  for (const some of [succeeding, failing, cancelled]) {
    expect((await rowOf(some)).sealedSecrets).toBeNull();
  }
});

test('labels and "no cache" go with the build, in each form of request', async () => {
  const { body: uploaded } = await api.call('POST', `${P}/contexts`, { body: 'x', headers: TAR });
  const body = { image: 'web', context: uploaded.id, labels: { 'a.b': 'c=d' }, noCache: true };
  const made = await api.call('POST', `${P}/builds`, { body });
  expect(made).toMatchObject({ status: 202, body: { labels: { 'a.b': 'c=d' }, noCache: true } });
  expect(await builds.take(made.body)).toMatchObject({ labels: { 'a.b': 'c=d' }, noCache: true });
  const inOneStep = await builds.build('image=web&noCache=true');
  expect(inOneStep).toMatchObject({ labels: {}, noCache: true });
  expect(await builds.take(inOneStep)).toMatchObject({ labels: {}, noCache: true, secrets: {} });
});

test('what is wrong with a build is said of each field', async () => {
  const json = await api.call('POST', `${P}/builds`, {
    body: {
      image: 'Web',
      tag: '?',
      context: 'ctx_x',
      args: { 'a-b': 'c' },
      ...{ labels: { 'a=b': 'c' }, secrets: { '../x': 'y' }, noCache: 'yes' },
      target: 'a b',
      git: 'x',
    },
  });
  expect(json.status).toBe(422);
  const paths = json.body.errors.map(({ path }: { path: string }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      'image',
      'tag',
      'args.a-b',
      'target',
      'labels.a=b',
      'secrets.../x',
      'noCache',
    ]),
  );
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
  const made = await builds.build();
  const order = await builds.take(made);
  expect(await builds.takeIfFree(made)).toBeNull();
  expect(await builds.write(order, 0, 'of the first')).toEqual({ goesOn: true });
  await node.builds.releaseBuilds({ nodeId: node.id });
  const second = await builds.take(made);
  expect(second.attempt).toBe(2);
  expect(await builds.write(order, 1, 'too late')).toEqual({ goesOn: false });
  await builds.end(order);
  expect(await builds.get(made)).toMatchObject({ state: 'running' });
  await builds.end(second, { state: 'failed', reason: 'command-failed', message: 'line 2' });
  await builds.end(second);
  expect(await builds.get(made)).toMatchObject({ state: 'failed', reason: 'command-failed' });
  const logs = await api.call('GET', `${P}/builds/${made.id}/logs`);
  expect(logs.body).toBe('of the firstThe node has ended: the build begins again.\n');
});

test('organizations take turns, however much one of them has queued', async () => {
  await builds.clear();
  const { token } = await api.addTenant('patient');
  const ours = [];
  for (let count = 0; count < 5; count++) ours.push((await builds.build()).id);
  const theirs = [];
  for (let count = 0; count < 2; count++) {
    const path = '/v1/organizations/patient/projects/web/builds?image=web';
    const made = await api.call('POST', path, { body: 'a tar', headers: TAR, token });
    theirs.push(made.body.id);
  }
  const next = async () => {
    const { order } = await node.builds.takeBuild({ nodeId: node.id });
    return order ?? expect.unreachable();
  };
  const begun = [];
  for (let count = 0; count < 5; count++) begun.push(await next());
  expect(begun.map(({ id }) => id)).toEqual([theirs[0], ours[0], theirs[1], ours[1], ours[2]]);
  for (const order of begun) await builds.end(order);
  expect((await next()).id).toBe(ours[3]);
  expect((await next()).id).toBe(ours[4]);
  expect(await node.builds.takeBuild({ nodeId: node.id })).toEqual({ order: null });
});

test('agents that ask at once get different builds', async () => {
  await builds.clear();
  const made = await Promise.all([1, 2, 3, 4].map(() => builds.build()));
  const taken = await Promise.all(
    Array.from({ length: 8 }, () => node.builds.takeBuild({ nodeId: node.id })),
  );
  const ids = taken.flatMap(({ order }) => order?.id ?? []);
  expect(ids.toSorted()).toEqual(made.map(({ id }) => id).toSorted());
});

test('a build whose nodes always end fails, and says so', async () => {
  const made = await builds.build();
  for (let attempt = 1; attempt <= 3; attempt++) {
    const order = await builds.take(made);
    const steps = [testStep(1, 'succeeded'), testStep(2, 'running'), testStep(3, 'waiting')];
    await builds.reportSteps(order, steps);
    await node.builds.releaseBuilds({ nodeId: node.id });
  }
  expect(await builds.takeIfFree(made)).toBeNull();
  const failed = await builds.get(made);
  expect(failed).toMatchObject({ state: 'failed', reason: 'node-lost' });
  expect(failed.steps.map(({ state }: BuildStep) => state)).toEqual([
    ...['succeeded', 'failed', 'waiting'],
  ]);
});

test('a build is cancelled at once, whether it waits or runs; one that is over is not', async () => {
  const waiting = await builds.build();
  const cancelled = { state: 'cancelled', reason: 'cancelled' };
  expect(await cancel(waiting.id)).toMatchObject({ status: 202, body: cancelled });
  expect(await cancel(waiting.id)).toMatchObject({ status: 200, body: cancelled });
  expect(await builds.takeIfFree(waiting)).toBeNull();

  const running = await builds.build();
  const order = await builds.take(running);
  await builds.reportSteps(order, [testStep(1, 'running')]);
  const { body } = await cancel(running.id);
  const [given] = body.steps;
  expect(body).toMatchObject({ ...cancelled, steps: [{ state: 'cancelled' }] });
  expect(given.finishedAt).toBe(body.finishedAt);
  expect(await builds.write(order, 0, 'late')).toEqual({ goesOn: false });
  await builds.end(order);
  expect(await builds.get(running)).toMatchObject(cancelled);

  const over = await builds.build();
  await builds.end(await builds.take(over));
  expect(await cancel(over.id)).toMatchObject({ status: 409, body: { code: 'state-conflict' } });
});

test('a list has the newest first, in pages', async () => {
  const [first, second] = [await builds.build(), await builds.build()];
  const { body: page } = await api.call('GET', `${P}/builds?limit=1`);
  expect(page.items).toMatchObject([{ id: second.id }]);
  const next = await api.call('GET', `${P}/builds?limit=1&cursor=${page.nextCursor}`);
  expect(next.body.items).toMatchObject([{ id: first.id }]);
});

test('a build pulls what its organization may, and pushes one image with a token for just that', async () => {
  await pushTestImage(api, 'local/default/base', 'v1');
  await pushTestImage(api, 'library/busybox', 'latest');
  const made = await builds.build('image=pushed');
  const order = await builds.take(made);
  const push = await node.builds.grantPush(builds.attemptOf(order));
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
  expect(await node.builds.grantPush(builds.attemptOf(order))).toEqual({ token: null });
});
