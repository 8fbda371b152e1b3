import type { Observation } from '@slipway/contracts';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import { joinTestNode, type TestNode } from '../testing/node.fixture.ts';

/* The API's part of a container's life; what the node does is said by the test. */

const P = '/v1/organizations/local/projects/default/containers';
const WITHIN = { timeout: 30_000 };
const now = () => new Date().toISOString();

let api: TestApi;
let node: TestNode;
let digest: string;
beforeAll(async () => {
  api = await startTestApi();
  node = await joinTestNode(api);
  digest = await pushTestImage(api, 'local/default/app', 'v1');
  await pushTestImage(api, 'library/busybox', 'latest');
});
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of it
async function create(body: object): Promise<any> {
  const answer = await api.call('POST', P, { body: { image: 'app:v1', ...body } });
  expect(answer).toMatchObject({ status: 202 });
  return answer.body;
}

const report = (engineId: string, observation: Observation) =>
  node.calls.reportContainer({ nodeId: node.id, engineId, observation });
const exited = (generation: number, exitCode = 0): Observation => ({
  ...{ state: 'exited', generation, exitCode, startedAt: now(), finishedAt: now() },
  ...{ reason: exitCode === 0 ? 'completed' : 'error', message: null },
});
const get = async (id: string) => (await api.call('GET', `${P}/${id}`)).body;
const orderOf = async (engineId: string) =>
  (await node.calls.containerOrder({ nodeId: node.id, engineId })).order;

test('a container is accepted with its image’s digest, and its node is told', async () => {
  const made = await create({ name: 'told', command: ['sh'], env: { A: 'b' } });
  expect(made).toMatchObject({
    ...{ name: 'told', image: 'app:v1', imageDigest: digest, state: 'pending', generation: 1 },
    ...{ command: ['sh'], env: { A: 'b' }, exitCode: null, reason: null },
  });
  expect(made.engineId).toMatch(/^[0-9a-f]{64}$/);
  await vi.waitFor(
    () => expect(node.commands.map(({ engineId }) => engineId)).toContain(made.engineId),
    WITHIN,
  );
  expect(await orderOf(made.engineId)).toMatchObject({
    ...{ id: made.id, desired: 'running', generation: 1, isRunOver: false },
    ...{ spec: { command: ['sh'], env: { A: 'b' } }, image: { digest } },
  });
});

test('what a request leads to carries its id: the command, and what the node is to do', async () => {
  const body = { image: 'app:v1', name: 'traced' };
  const made = await api.call('POST', P, { body, headers: { 'x-request-id': 'asked-to-create' } });
  expect(made.headers.get('x-request-id')).toBe('asked-to-create');
  const { engineId } = made.body;
  expect(await orderOf(engineId)).toMatchObject({ requestId: 'asked-to-create' });
  await api.call('POST', `${P}/traced/stop`, { headers: { 'x-request-id': 'asked-to-stop' } });
  expect(await orderOf(engineId)).toMatchObject({ requestId: 'asked-to-stop' });
  for (const requestId of ['asked-to-create', 'asked-to-stop']) {
    await vi.waitFor(() => expect(node.commands).toContainEqual({ engineId, requestId }), WITHIN);
  }
});

test('what a node gets to pull with opens that repository, and for pulls only', async () => {
  const { engineId } = await create({});
  const authorization = (await orderOf(engineId))?.image.authorization ?? '';
  const ask = async (path: string, method = 'GET') =>
    (await fetch(`${api.registryUrl}/v2/${path}`, { method, headers: { authorization } })).status;
  expect(await ask(`local/default/app/manifests/${digest}`)).toBe(200);
  expect(await ask('library/busybox/manifests/latest')).toBe(401);
  expect(await ask('local/default/app/blobs/uploads/', 'POST')).toBe(401);
});

test('an image is one of the project, else a base image; any other is refused by name', async () => {
  expect(await create({ image: 'busybox' })).toMatchObject({ image: 'busybox' });
  expect(await create({ image: 'local/default/app:v1' })).toMatchObject({ imageDigest: digest });
  expect(await create({ image: `app@${digest}` })).toMatchObject({ imageDigest: digest });
  for (const image of ['app:v2', 'nothing', 'App', 'docker.io/library/busybox', 'a b']) {
    const refused = await api.call('POST', P, { body: { image } });
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ path: 'image' }] } });
  }
});

test('every wrong field is named at once', async () => {
  const body = {
    image: 'app:v1',
    name: 'ctr_x',
    cpus: 0,
    workingDir: 'a',
    user: '1:2:3',
    env: { 'A=': 'b' },
    restartPolicy: 'always:3',
    x: 1,
  };
  const { status, body: problem } = await api.call('POST', P, { body });
  expect(status).toBe(422);
  const paths = problem.errors.map(({ path }: { path: string }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(['name', 'cpus', 'workingDir', 'user', 'restartPolicy', 'env.A=']),
  );
});

test('a run ends once: what comes late or twice changes nothing', async () => {
  const { id, engineId } = await create({});
  await report(engineId, { state: 'running', generation: 1, startedAt: now() });
  expect(await get(id)).toMatchObject({ state: 'running', residency: 'hot' });
  await report(engineId, exited(1, 3));
  const ended = await get(id);
  expect(ended).toMatchObject({ state: 'exited', exitCode: 3, reason: 'error' });
  await report(engineId, exited(1, 0));
  await report(engineId, { state: 'running', generation: 1, startedAt: now() });
  expect(await get(id)).toEqual(ended);
  expect(await orderOf(engineId)).toMatchObject({ desired: 'stopped', isRunOver: true });
});

test('a start makes a new run, which news of the old one does not touch', async () => {
  const { id, engineId } = await create({});
  await report(engineId, exited(1, 1));
  const started = await api.call('POST', `${P}/${id}/start`);
  expect(started).toMatchObject({
    ...{ status: 202, body: { state: 'pending', generation: 2, exitCode: null, finishedAt: null } },
  });
  expect(await api.call('POST', `${P}/${id}/start`)).toMatchObject({ status: 200 });
  await report(engineId, exited(1, 1));
  expect(await get(id)).toMatchObject({ state: 'pending', generation: 2 });
  await report(engineId, exited(2));
  expect(await get(id)).toMatchObject({ state: 'exited', exitCode: 0, generation: 2 });
});

test('a stop waits for the node; of what rests it is none', async () => {
  const { id, engineId } = await create({});
  await report(engineId, { state: 'running', generation: 1, startedAt: now() });
  const stopped = await api.call('POST', `${P}/${id}/stop`);
  expect(stopped).toMatchObject({ status: 202, body: { state: 'stopping' } });
  const again = await api.call('POST', `${P}/${id}/start`);
  expect(again).toMatchObject({ status: 409, body: { code: 'state-conflict' } });
  await report(engineId, exited(1));
  expect(await api.call('POST', `${P}/${id}/stop`)).toMatchObject({
    ...{ status: 200, body: { state: 'exited' } },
  });
});

test('a stop may be hurried, never slowed; a kill is one without grace', async () => {
  const { id, engineId } = await create({});
  await report(engineId, { state: 'running', generation: 1, startedAt: now() });
  const stop = (graceMs: number) => api.call('POST', `${P}/${id}/stop`, { body: { graceMs } });
  const grace = async () => (await orderOf(engineId))?.stopGraceMs;
  expect(await stop(60_000)).toMatchObject({ status: 202, body: { state: 'stopping' } });
  expect(await grace()).toBe(60_000);
  expect(await stop(5_000)).toMatchObject({ status: 202 });
  expect(await stop(10_000)).toMatchObject({ status: 200 });
  expect(await grace()).toBe(5_000);
  const kill = () => api.call('POST', `${P}/${id}/kill`);
  expect(await kill()).toMatchObject({ status: 202, body: { state: 'stopping' } });
  expect(await kill()).toMatchObject({ status: 200 });
  expect(await orderOf(engineId)).toMatchObject({ desired: 'stopped', stopGraceMs: 0 });
  await report(engineId, exited(1, 137));
  expect(await kill()).toMatchObject({ status: 409, body: { code: 'state-conflict' } });
});

test('what is no signal is refused; a node that does not answer is told of', async () => {
  const { id, engineId } = await create({});
  await report(engineId, { state: 'running', generation: 1, startedAt: now() });
  const kill = (signal: unknown) => api.call('POST', `${P}/${id}/kill`, { body: { signal } });
  for (const signal of ['SIGNOTHING', '0', '65', 9, '']) {
    expect(await kill(signal)).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'signal' }] },
    });
  }
  expect(await kill('SIGHUP')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect(await get(id)).toMatchObject({ state: 'running' });
});

test('a restart is a new run behind the end of the one before', async () => {
  const { id, engineId } = await create({});
  const restart = () => api.call('POST', `${P}/${id}/restart`);
  expect(await restart()).toMatchObject({ status: 200, body: { state: 'pending', generation: 1 } });
  await report(engineId, { state: 'running', generation: 1, startedAt: now() });
  const restarted = { state: 'restarting', residency: 'hot', generation: 2, startedAt: null };
  expect(await restart()).toMatchObject({ status: 202, body: restarted });
  expect(await restart()).toMatchObject({ status: 200, body: restarted });
  expect(await orderOf(engineId)).toMatchObject({ desired: 'running', isRunOver: false });
  await report(engineId, exited(1, 143));
  expect(await get(id)).toMatchObject(restarted);
  await report(engineId, { state: 'running', generation: 2, startedAt: now() });
  expect(await get(id)).toMatchObject({ state: 'running', generation: 2, exitCode: null });
  await report(engineId, exited(2));
  // of one that rests it is a start; of one that stops it takes the stop back
  expect(await restart()).toMatchObject({ status: 202, body: { state: 'pending', generation: 3 } });
  await report(engineId, { state: 'running', generation: 3, startedAt: now() });
  await api.call('POST', `${P}/${id}/stop`);
  expect(await restart()).toMatchObject({ body: { state: 'restarting', generation: 4 } });
  expect(await api.call('POST', `${P}/${id}/stop`)).toMatchObject({ body: { state: 'stopping' } });
  await report(engineId, exited(3));
  await report(engineId, exited(4));
  expect(await get(id)).toMatchObject({ state: 'exited', generation: 4 });
  await api.call('DELETE', `${P}/${id}`);
  for (const action of ['start', 'stop', 'restart', 'kill']) {
    const refused = await api.call('POST', `${P}/${id}/${action}`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'state-conflict' } });
  }
});

test('a restart policy begins the next run, counts them, and rests between two', async () => {
  const { id, engineId } = await create({ restartPolicy: 'on-failure:2' });
  expect(await get(id)).toMatchObject({ restartPolicy: 'on-failure:2', restartCount: 0 });
  for (const generation of [1, 2]) {
    await report(engineId, { state: 'running', generation, startedAt: now() });
    await report(engineId, exited(generation, 7));
    const next = await api.call(
      'GET',
      `${P}/${id}/wait?state=pending&generation=${generation + 1}`,
    );
    expect(next.body).toMatchObject({ generation: generation + 1, restartCount: generation });
  }
  await report(engineId, exited(3, 7));
  expect(await get(id)).toMatchObject({ state: 'exited', exitCode: 7, restartCount: 2 });
  // started by somebody it has all of them again
  await api.call('POST', `${P}/${id}/start`);
  expect(await get(id)).toMatchObject({ state: 'pending', generation: 4, restartCount: 0 });
  await report(engineId, exited(4, 0));
  expect(await get(id)).toMatchObject({ state: 'exited', exitCode: 0 });
});

test('between two runs a container is restarting, until somebody decides otherwise', async () => {
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
  const resting = async () => {
    const { id, engineId } = await create({ restartPolicy: 'always' });
    const call = (action: string) => api.call('POST', `${P}/${id}/${action}`);
    await report(engineId, { ...exited(1, 7), finishedAt: inAnHour } as Observation);
    return { id, engineId, call };
  };
  const { id, engineId, call } = await resting();
  const between = { state: 'restarting', residency: 'cold', exitCode: 7, reason: 'error' };
  expect(await get(id)).toMatchObject(between);
  expect(await orderOf(engineId)).toMatchObject({ desired: 'running', isRunOver: true });
  const settled = await api.call('GET', `${P}/${id}/wait?timeoutMs=50`);
  expect(settled.body).toMatchObject(between);
  const refused = { status: 409, body: { code: 'state-conflict' } };
  expect(await call('kill')).toMatchObject(refused);
  expect(await api.call('DELETE', `${P}/${id}`)).toMatchObject(refused);

  expect(await call('stop')).toMatchObject({ status: 202, body: { state: 'exited', exitCode: 7 } });
  expect(await call('stop')).toMatchObject({ status: 200, body: { state: 'exited' } });
  expect(await orderOf(engineId)).toMatchObject({ desired: 'stopped' });
  expect(await api.call('DELETE', `${P}/${id}`)).toMatchObject({ status: 202 });

  const [started, restarted, removed] = [await resting(), await resting(), await resting()];
  const begun = { status: 202, body: { state: 'pending', generation: 2, restartCount: 0 } };
  expect(await started.call('start')).toMatchObject(begun);
  expect(await restarted.call('restart')).toMatchObject(begun);
  const forced = await api.call('DELETE', `${P}/${removed.id}?force=true`);
  expect(forced).toMatchObject({ status: 202, body: { state: 'removing' } });
});

test('when its node begins anew, what was stopped runs again if it is always to run', async () => {
  const stopped = async (body: object) => {
    const { id, engineId } = await create(body);
    if (body !== NEVER_STARTED) {
      await report(engineId, { state: 'running', generation: 1, startedAt: now() });
      await api.call('POST', `${P}/${id}/stop`);
      await report(engineId, exited(1, 143));
    }
    return { id, engineId };
  };
  const NEVER_STARTED = { restartPolicy: 'always', start: false };
  const always = await stopped({ restartPolicy: 'always' });
  const others = [
    await stopped({ restartPolicy: 'unless-stopped' }),
    await stopped({ restartPolicy: 'on-failure' }),
    await stopped({}),
    await stopped(NEVER_STARTED),
  ];
  const before = await Promise.all(others.map(({ id }) => get(id)));
  await node.announce({});
  expect(await get(always.id)).toMatchObject({ state: 'exited', generation: 1 });
  await node.announce({ life: 'the second' });
  const waited = await api.call('GET', `${P}/${always.id}/wait?state=pending&generation=2`);
  expect(waited.body).toMatchObject({ state: 'pending', generation: 2 });
  await report(always.engineId, exited(2));
  await api.call('POST', `${P}/${always.id}/stop`);
  await node.announce({ life: 'the second' });
  expect(await get(always.id)).toMatchObject({ state: 'exited' });
  expect(await Promise.all(others.map(({ id }) => get(id)))).toEqual(before);
});

test('what is not to be started is made and rests', async () => {
  const { id, engineId } = await create({ start: false });
  expect(await orderOf(engineId)).toMatchObject({ desired: 'stopped', generation: 0 });
  await report(engineId, { state: 'created' });
  expect(await get(id)).toMatchObject({ state: 'created', generation: 0 });
});

test('a removal needs force while it runs, frees the name at once, and can be waited for', async () => {
  const { id, engineId } = await create({ name: 'mine' });
  const taken = await api.call('POST', P, { body: { image: 'app:v1', name: 'mine' } });
  expect(taken).toMatchObject({ status: 409, body: { code: 'already-exists' } });
  await report(engineId, { state: 'running', generation: 1, startedAt: now() });
  const refused = await api.call('DELETE', `${P}/mine`);
  expect(refused).toMatchObject({ status: 409, body: { code: 'state-conflict' } });
  const removed = await api.call('DELETE', `${P}/mine?force=true`);
  expect(removed).toMatchObject({ status: 202, body: { state: 'removing' } });
  expect(await api.call('GET', `${P}/mine`)).toMatchObject({ status: 404 });
  const next = await create({ name: 'mine' });
  expect(next.id).not.toBe(id);

  const waiting = api.call('GET', `${P}/${id}/wait?state=removed`);
  await report(engineId, exited(1, 137));
  await report(engineId, { state: 'removed', run: null });
  expect(await waiting).toMatchObject({ status: 200, body: { state: 'removed' } });
  expect(await api.call('GET', `${P}/${id}`)).toMatchObject({ status: 404 });
  expect(await orderOf(engineId)).toBeNull();
});

test('a wait answers when the state is there, and at its timeout with what there is', async () => {
  const { id, engineId } = await create({});
  const timedOut = await api.call('GET', `${P}/${id}/wait?timeoutMs=50`);
  expect(timedOut).toMatchObject({ status: 200, body: { state: 'pending' } });
  const waiting = api.call('GET', `${P}/${id}/wait?state=exited,failed&timeoutMs=60000`);
  await report(engineId, { state: 'running', generation: 1, startedAt: now() });
  await report(engineId, exited(1));
  expect(await waiting).toMatchObject({ status: 200, body: { state: 'exited' } });
  // of a later run: the end of the first does not count
  await api.call('POST', `${P}/${id}/start`);
  const second = await api.call('GET', `${P}/${id}/wait?state=exited&generation=2&timeoutMs=50`);
  expect(second.body).toMatchObject({ state: 'pending', generation: 2 });
  const unknown = await api.call('GET', `${P}/${id}/wait?state=gone`);
  expect(unknown).toMatchObject({ status: 422, body: { errors: [{ path: 'query.state.0' }] } });
});

test('a list comes in pages, without what is removed', async () => {
  await api.addTenant('lister');
  const { body: first } = await api.call('GET', `${P}?limit=2`);
  expect(first.items).toHaveLength(2);
  const { body: second } = await api.call('GET', `${P}?limit=2&cursor=${first.nextCursor}`);
  const ids = [...first.items, ...second.items].map(({ id }: { id: string }) => id);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(4);
});

test('a node knows its own containers only', async () => {
  const { engineId } = await create({});
  const other = { nodeId: 'nod_other', engineId };
  expect(await node.calls.containerOrder(other)).toEqual({ order: null });
  await node.calls.reportContainer({ ...other, observation: exited(1) });
  expect(await orderOf(engineId)).toMatchObject({ isRunOver: false });
  const { containers } = await node.calls.desiredContainers({ nodeId: node.id });
  expect(containers.map((known) => known.engineId)).toContain(engineId);
});
