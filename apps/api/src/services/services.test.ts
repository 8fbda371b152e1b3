import type { Observation } from '@slipway/contracts';
import { startThrowawayRedis } from '@slipway/infra';
import { RouteTable } from '@slipway/routes';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import { joinTestNode, type TestNode } from '../testing/node.fixture.ts';

/* The API's part of services; what the node does is said by the test. */

const P = '/v1/organizations/local/projects/default';
const WITHIN = { timeout: 30_000 };
const now = () => new Date().toISOString();

// routes are of one API: no other test has this Redis
let redis: Awaited<ReturnType<typeof startThrowawayRedis>>;
let api: TestApi;
let node: TestNode;
let routes: RouteTable;
let digest: string;
beforeAll(async () => {
  redis = await startThrowawayRedis();
  api = await startTestApi({ REDIS_URL: redis.url });
  node = await joinTestNode(api);
  routes = await RouteTable.open(redis.url);
  digest = await pushTestImage(api, 'local/default/app', 'v1');
});
afterAll(async () => {
  routes?.close();
  await node?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of it
type Body = any;

const get = async (path: string): Promise<Body> => (await api.call('GET', `${P}/${path}`)).body;
const create = async (name: string, template: object = {}): Promise<Body> => {
  const body = { name, template: { image: 'app:v1', ...template } };
  const answer = await api.call('POST', `${P}/services`, { body });
  expect(answer).toMatchObject({ status: 202, body: { name, serving: false } });
  return answer.body;
};
const deployOf = ({ id, latestDeploy }: Body) => get(`services/${id}/deploys/${latestDeploy.id}`);
const over = ({ id, latestDeploy }: Body) =>
  get(`services/${id}/deploys/${latestDeploy.id}/wait?timeoutMs=30000`);
const hostOf = ({ url }: Body) => new URL(url).hostname;
const report = (engineId: string, observation: Observation) =>
  node.calls.reportContainer({ nodeId: node.id, engineId, observation });

/** The container that it was given. */
async function instanceOf(service: Body): Promise<Body> {
  const { container } = await vi.waitFor(async () => {
    const deploy = await deployOf(service);
    expect(deploy.container).not.toBeNull();
    return deploy;
  }, WITHIN);
  return get(`containers/${container}`);
}

async function begin({ engineId }: Body, generation = 1): Promise<void> {
  await report(engineId, { state: 'running', generation, startedAt: now() });
}

async function getReady(instance: Body, generation = 1): Promise<void> {
  await begin(instance, generation);
  await report(instance.engineId, { state: 'ready', generation });
}

const exited = (generation: number): Observation => ({
  ...{ state: 'exited', generation, exitCode: 3, startedAt: now(), finishedAt: now() },
  ...{ reason: 'error', message: 'Its program ended with exit code 3.' },
});

async function serving(name: string): Promise<{ service: Body; instance: Body }> {
  const service = await create(name);
  const instance = await instanceOf(service);
  await getReady(instance);
  expect(await over(service)).toMatchObject({ state: 'succeeded' });
  return { service, instance };
}

const engineIdsOf = (service: Body) =>
  routes.find(hostOf(service))?.instances.map(({ engineId }) => engineId);
const routesTo = (service: Body, ...engineIds: string[]) =>
  vi.waitFor(() => expect(engineIdsOf(service)).toEqual(engineIds), WITHIN);

test('a service is a container that is probed, and once it is ready its host leads there', async () => {
  const template = { env: { A: 'b' }, port: 3000, health: { path: '/healthz' } };
  const service = await create('web', template);
  expect(service).toMatchObject({ template, latestDeploy: { state: 'queued' } });
  expect(service.url).toBe(`http://web-${service.id.slice(-6)}.example.test:8000`);
  await routesTo(service);

  const instance = await instanceOf(service);
  expect(instance).toMatchObject({ service: service.id, imageDigest: digest, state: 'pending' });
  const { order } = await node.calls.containerOrder({
    ...{ nodeId: node.id, engineId: instance.engineId },
  });
  expect(order).toMatchObject({
    ...{ desired: 'running', generation: 1, awaitsProbe: true },
    spec: { env: { PORT: '3000', A: 'b' }, probe: { port: 3000, path: '/healthz' } },
  });
  await begin(instance);
  await vi.waitFor(async () => {
    const { state, phases } = await deployOf(service);
    expect({ state, healthy: phases[2] }).toMatchObject({
      ...{ state: 'running', healthy: { name: 'healthy', state: 'running' } },
    });
  }, WITHIN);

  await report(instance.engineId, { state: 'ready', generation: 1 });
  const deploy = await over(service);
  expect(deploy).toMatchObject({ state: 'succeeded', reason: 'completed', container: instance.id });
  expect(deploy.phases.every(({ state }: Body) => state === 'succeeded')).toBe(true);
  const after = await get('services/web');
  expect(after).toMatchObject({ serving: true, servingRevision: deploy.revision });
  await routesTo(service, instance.engineId);
  expect(routes.find(hostOf(service))).toMatchObject({
    instances: [{ node: 'unix:/nonexistent/agent.sock', containerId: instance.id, port: 3000 }],
  });
});

test('a program that ends before it is healthy fails the deploy, and its container stays for its logs', async () => {
  const service = await create('ends');
  const instance = await instanceOf(service);
  await report(instance.engineId, exited(1));
  expect(await over(service)).toMatchObject({
    ...{ state: 'failed', reason: 'instance-ended', container: instance.id },
    message: expect.stringContaining('exit code 3'),
  });
  expect(await get(`services/${service.id}`)).toMatchObject({
    ...{ serving: false, latestDeploy: { state: 'failed', reason: 'instance-ended' } },
  });
  expect(await get(`containers/${instance.id}`)).toMatchObject({ state: 'exited', generation: 1 });
});

test('one that does not get healthy in time fails with what the probe said, and is stopped', async () => {
  const service = await create('sick', { health: { timeoutMs: 1000 } });
  const { id, engineId } = await instanceOf(service);
  await begin({ engineId });
  await report(engineId, { state: 'unready', generation: 1, message: 'Nothing listens.' });
  expect(await over(service)).toMatchObject({
    ...{ state: 'failed', reason: 'unhealthy' },
    message: 'Not healthy within 1 s: Nothing listens.',
  });
  await vi.waitFor(
    async () => expect(await get(`containers/${id}`)).toMatchObject({ state: 'stopping' }),
    WITHIN,
  );
});

test('an instance that ends is taken off its route, started again, and back when it is ready', async () => {
  const { service, instance } = await serving('again');
  await routesTo(service, instance.engineId);
  await report(instance.engineId, exited(1));
  await routesTo(service);
  expect(await get('services/again')).toMatchObject({ serving: false });
  await vi.waitFor(
    async () =>
      expect(await get(`containers/${instance.id}`)).toMatchObject({
        ...{ state: 'pending', generation: 2, reason: null },
      }),
    WITHIN,
  );
  await report(instance.engineId, { state: 'ready', generation: 1 }); // late news of the old run
  await getReady(instance, 2);
  await routesTo(service, instance.engineId);
  expect(await get('services/again')).toMatchObject({ serving: true });
});

test('a deleted service leads nowhere, its containers go, and its name is free while its host is not', async () => {
  const { service, instance } = await serving('gone');
  await routesTo(service, instance.engineId);
  const deleted = await api.call('DELETE', `${P}/services/gone`);
  expect(deleted).toMatchObject({ status: 202, body: { id: service.id, serving: false } });
  await vi.waitFor(() => expect(routes.find(hostOf(service))).toBeNull(), WITHIN);
  expect(await api.call('GET', `${P}/services/gone`)).toMatchObject({ status: 404 });
  await vi.waitFor(
    async () => expect(await get(`containers/${instance.id}`)).toMatchObject({ state: 'removing' }),
    WITHIN,
  );
  const next = await create('gone');
  expect(next.url).not.toBe(service.url);
  await api.call('DELETE', `${P}/services/gone`);
});

test('a deploy is cancelled when its service is deleted, and who waits for it hears so', async () => {
  const service = await create('hasty');
  const waiting = over(service);
  await api.call('DELETE', `${P}/services/${service.id}`);
  const phases = expect.arrayContaining([expect.objectContaining({ state: 'cancelled' })]);
  expect(await waiting).toMatchObject({ state: 'cancelled', reason: 'service-deleted', phases });
});

test('an instance cannot be started, stopped or removed behind its service’s back', async () => {
  const { instance } = await serving('kept');
  for (const [method, path] of [
    ['POST', '/start'],
    ['POST', '/stop'],
    ['DELETE', '?force=true'],
  ]) {
    const refused = await api.call(method ?? '', `${P}/containers/${instance.id}${path}`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'state-conflict' } });
    expect(refused.body.detail).toContain(instance.service);
  }
});

test('a wrong field, an unknown image and a name that is taken are refused by name', async () => {
  const refuse = (body: object) => api.call('POST', `${P}/services`, { body });
  const wrong = await refuse({
    name: 'A--b',
    template: { image: 'app:v1', port: 0, health: { path: 'x' } },
  });
  expect(wrong.status).toBe(422);
  expect(wrong.body.errors.map(({ path }: Body) => path)).toEqual([
    ...['name', 'template.port', 'template.health.path'],
  ]);
  const unknown = await refuse({ name: 'x', template: { image: 'nothing' } });
  expect(unknown.body.errors).toMatchObject([{ path: 'template.image' }]);
  await create('taken');
  const taken = await refuse({ name: 'taken', template: { image: 'app:v1' } });
  expect(taken).toMatchObject({ status: 409, body: { code: 'already-exists' } });
});
