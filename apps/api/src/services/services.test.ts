import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Body, exited, hostOf, P, ServiceStage, WITHIN } from '../testing/service.fixture.ts';

/* The API's part of services; what the node does is said by the test. */

let stage: ServiceStage;
beforeAll(async () => {
  stage = await ServiceStage.set();
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

test('a service is a container that is probed, and once it is ready its host leads there', async () => {
  const template = { env: { A: 'b' }, port: 3000, health: { path: '/healthz' } };
  const service = await stage.create('web', template);
  expect(service).toMatchObject({ template, latestDeploy: { state: 'queued' } });
  expect(service.url).toBe(`http://web-${service.id.slice(-6)}.example.test:8000`);
  await stage.routesTo(service);

  const instance = await stage.instanceOf(service);
  expect(instance).toMatchObject({
    service: service.id,
    imageDigest: stage.digest,
    state: 'pending',
  });
  const { order } = await stage.node.calls.containerOrder({
    ...{ nodeId: stage.node.id, engineId: instance.engineId },
  });
  expect(order).toMatchObject({
    ...{ desired: 'running', generation: 1, awaitsProbe: true },
    spec: { env: { PORT: '3000', A: 'b' }, probe: { port: 3000, path: '/healthz' } },
  });
  await stage.isInPhase('pull', service);
  await stage.report(instance.engineId, { state: 'pulled' });
  await stage.isInPhase('start', service);
  await stage.begin(instance);
  await stage.isInPhase('healthy', service);
  await stage.report(instance.engineId, { state: 'pulled' }); // late news

  await stage.report(instance.engineId, { state: 'ready', generation: 1 });
  const deploy = await stage.over(service);
  expect(deploy).toMatchObject({ state: 'succeeded', reason: 'completed', container: instance.id });
  expect(deploy.phases.every(({ state }: Body) => state === 'succeeded')).toBe(true);
  const after = await stage.get('services/web');
  expect(after).toMatchObject({ serving: true, servingRevision: deploy.revision });
  await stage.routesTo(service, instance.engineId);
  expect(stage.routes.find(hostOf(service))).toMatchObject({
    instances: [{ node: 'unix:/nonexistent/agent.sock', containerId: instance.id, port: 3000 }],
  });
});

test('a program that ends before it is healthy fails the deploy, and its container stays for its logs', async () => {
  const service = await stage.create('ends');
  const instance = await stage.instanceOf(service);
  await stage.report(instance.engineId, exited(1));
  expect(await stage.over(service)).toMatchObject({
    ...{ state: 'failed', reason: 'instance-ended', container: instance.id },
    message: expect.stringContaining('exit code 3'),
    failure: {
      instance: { state: 'exited', exitCode: 3, reason: 'error' },
      lastLines: null, // the node is the test's, and does not say
    },
  });
  expect(await stage.get(`services/${service.id}`)).toMatchObject({
    ...{ serving: false, latestDeploy: { state: 'failed', reason: 'instance-ended' } },
  });
  expect(await stage.get(`containers/${instance.id}`)).toMatchObject({
    state: 'exited',
    generation: 1,
  });
});

test('one that does not get healthy in time fails with what the probe said, and is stopped', async () => {
  const health = { path: '/up', timeoutMs: 1000 };
  const service = await stage.create('sick', { port: 3000, health });
  const { id, engineId } = await stage.instanceOf(service);
  await stage.begin({ engineId });
  await stage.report(engineId, { state: 'unready', generation: 1, message: 'Nothing listens.' });
  expect(await stage.over(service)).toMatchObject({
    ...{ state: 'failed', reason: 'unhealthy' },
    message: 'Not healthy within 1 s: Nothing listens.',
    failure: {
      probe: { port: 3000, path: '/up', timeoutMs: 1000, message: 'Nothing listens.' },
      instance: { state: 'running', exitCode: null },
    },
  });
  await vi.waitFor(
    async () => expect(await stage.get(`containers/${id}`)).toMatchObject({ state: 'stopping' }),
    WITHIN,
  );
});

test('an instance that ends is taken off its route, started again, and back when it is ready', async () => {
  const { service, instance } = await stage.serving('again');
  await stage.routesTo(service, instance.engineId);
  await stage.report(instance.engineId, exited(1));
  await stage.routesTo(service);
  expect(await stage.get('services/again')).toMatchObject({ serving: false });
  await vi.waitFor(
    async () =>
      expect(await stage.get(`containers/${instance.id}`)).toMatchObject({
        ...{ state: 'pending', generation: 2, reason: null },
      }),
    WITHIN,
  );
  await stage.report(instance.engineId, { state: 'ready', generation: 1 }); // late news of the old run
  await stage.getReady(instance, 2);
  await stage.routesTo(service, instance.engineId);
  expect(await stage.get('services/again')).toMatchObject({ serving: true });
});

test('a deleted service leads nowhere, its containers go, and its name is free while its host is not', async () => {
  const { service, instance } = await stage.serving('gone');
  await stage.routesTo(service, instance.engineId);
  const deleted = await stage.api.call('DELETE', `${P}/services/gone`);
  expect(deleted).toMatchObject({ status: 202, body: { id: service.id, serving: false } });
  await vi.waitFor(() => expect(stage.routes.find(hostOf(service))).toBeNull(), WITHIN);
  expect(await stage.api.call('GET', `${P}/services/gone`)).toMatchObject({ status: 404 });
  await vi.waitFor(
    async () =>
      expect(await stage.get(`containers/${instance.id}`)).toMatchObject({ state: 'removing' }),
    WITHIN,
  );
  const next = await stage.create('gone');
  expect(next.url).not.toBe(service.url);
  await stage.api.call('DELETE', `${P}/services/gone`);
});

test('a deploy is cancelled when its service is deleted, and who waits for it hears so', async () => {
  const service = await stage.create('hasty');
  const waiting = stage.over(service);
  await stage.api.call('DELETE', `${P}/services/${service.id}`);
  const phases = expect.arrayContaining([expect.objectContaining({ state: 'cancelled' })]);
  expect(await waiting).toMatchObject({ state: 'cancelled', reason: 'service-deleted', phases });
});

test('an instance cannot be started, stopped or removed behind its service’s back', async () => {
  const { instance } = await stage.serving('kept');
  for (const [method, path] of [
    ['POST', '/start'],
    ['POST', '/stop'],
    ['DELETE', '?force=true'],
  ]) {
    const refused = await stage.api.call(method ?? '', `${P}/containers/${instance.id}${path}`);
    expect(refused).toMatchObject({ status: 409, body: { code: 'state-conflict' } });
    expect(refused.body.detail).toContain(instance.service);
  }
});

test('a wrong field, an unknown image and a name that is taken are refused by name', async () => {
  const refuse = (body: object) => stage.api.call('POST', `${P}/services`, { body });
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
  await stage.create('taken');
  const taken = await refuse({ name: 'taken', template: { image: 'app:v1' } });
  expect(taken).toMatchObject({ status: 409, body: { code: 'already-exists' } });
});
