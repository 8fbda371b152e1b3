import { afterAll, beforeAll, expect, test } from 'vitest';
import { pushTestImage } from '../testing/image.fixture.ts';
import { type Body, exited, P, ServiceStage } from '../testing/service.fixture.ts';

/* A service that is changed; what the node and the edge do is said by the test. */

let stage: ServiceStage;
beforeAll(async () => {
  stage = await ServiceStage.set();
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const restart = ({ id }: Body) => stage.api.call('POST', `${P}/services/${id}/restart`);
const rollBack = ({ id }: Body, body = {}) =>
  stage.api.call('POST', `${P}/services/${id}/rollback`, { body });

test('the new instance is ready before the old one gets no more requests, which ends when it has answered its own', async () => {
  const { service, instance: old } = await stage.serving('web');
  const changed = await stage.change(service, { env: { A: 'b' } });
  expect(changed).toMatchObject({ template: { env: { A: 'b' } }, serving: true });
  const instance = await stage.instanceOf(changed);
  await stage.begin(instance);
  await stage.routesTo(service, old.engineId);
  await stage.report(instance.engineId, { state: 'ready', generation: 1 });
  const deploy = await stage.over(changed);
  expect(deploy).toMatchObject({ state: 'succeeded', container: instance.id });
  expect(await stage.get('services/web')).toMatchObject({ servingRevision: deploy.revision });
  await stage.routesTo(service, instance.engineId);

  await stage.routes.report([old.engineId]);
  await new Promise((done) => setTimeout(done, 500));
  expect(await stage.get(`containers/${old.id}`)).toMatchObject({ state: 'running' });
  await stage.routes.report([]);
  await stage.isIn('stopping', old);
  await stage.report(old.engineId, exited(1));
  await stage.isIn('removing', old);
  expect(await stage.get(`containers/${instance.id}`)).toMatchObject({ state: 'running' });
});

test('a deploy that fails leaves what serves alone; what it leaves stays until a newer one succeeds', async () => {
  const { service, instance: old } = await stage.serving('steady');
  const broken = await stage.change(service, { command: ['nothing'] });
  const failed = await stage.instanceOf(broken);
  await stage.report(failed.engineId, exited(1));
  expect(await stage.over(broken)).toMatchObject({ state: 'failed', reason: 'instance-ended' });
  await stage.routesTo(service, old.engineId);
  expect(await stage.get('services/steady')).toMatchObject({
    ...{ serving: true, template: { command: ['nothing'] } },
    latestDeploy: { state: 'failed' },
  });
  const again = await stage.change(service, {}); // as it is, once more
  expect(again.template).toEqual(broken.template);
  const instance = await stage.instanceOf(again);
  expect(await stage.get(`containers/${failed.id}`)).toMatchObject({ state: 'exited' });
  const { revision } = await stage.deployOf(broken);
  expect(await stage.deployOf(again)).toMatchObject({ revision });
  await stage.getReady(instance);
  expect(await stage.over(again)).toMatchObject({ state: 'succeeded' });
  await stage.isIn('removing', failed);
});

test('a deploy that is not over is superseded by the next change, and leaves no container', async () => {
  const first = await stage.create('hasty');
  const early = await stage.instanceOf(first);
  await stage.begin(early);
  const second = await stage.change(first, { port: 3000 });
  expect(await stage.over(first)).toMatchObject({
    ...{ state: 'superseded', reason: 'superseded' },
    phases: expect.arrayContaining([expect.objectContaining({ state: 'cancelled' })]),
  });
  await stage.routes.report([]);
  await stage.isIn('stopping', early);
  await stage.report(early.engineId, exited(1));
  await stage.isIn('removing', early);
  await stage.served(second);
});

test('what is the same is not deployed again; an image that is named is looked for again', async () => {
  const { service } = await stage.serving('same');
  for (const template of [{}, { image: 'app:v1' }, { env: {}, port: null, command: null }]) {
    const answer = await stage.patch(service, template);
    const latestDeploy = { id: service.latestDeploy.id };
    expect(answer).toMatchObject({ status: 200, body: { latestDeploy } });
  }
  const digest = await pushTestImage(stage.api, 'local/default/app', 'v1', { A: 'newer' });
  const other = await stage.change(service, { env: { A: 'b' } });
  expect(await stage.deployOf(other)).toMatchObject({ imageDigest: stage.digest });
  const newer = await stage.change(service, { image: 'app:v1' });
  expect(await stage.deployOf(newer)).toMatchObject({ imageDigest: digest });
  expect(newer.template).toMatchObject({ env: { A: 'b' } });
});

test('changes that come at once are all made', async () => {
  const service = await stage.create('shared');
  const names = ['A', 'B', 'C', 'D', 'E'];
  const answers = await Promise.all(
    names.map((name) => stage.patch(service, { env: { [name]: '1' } })),
  );
  expect(answers.map(({ status }) => status)).toEqual(names.map(() => 202));
  const { template } = await stage.get('services/shared');
  expect(Object.keys(template.env).toSorted()).toEqual(names);
  const { items } = await stage.get('services/shared/deploys');
  expect(items.map(({ state }: Body) => state).toSorted()).toEqual([
    expect.stringMatching(/^(queued|running)$/),
    ...names.map(() => 'superseded'),
  ]);
});

test('null leaves a field out; what is wrong is refused by name, and changes nothing', async () => {
  const service = await stage.create('strict', {
    env: { A: '1', B: '2' },
    command: ['x'],
    port: 1,
  });
  const changed = await stage.change(service, { env: { A: null }, command: null, port: null });
  expect(changed.template).toMatchObject({ env: { B: '2' }, port: 8080 });
  expect(changed.template).not.toHaveProperty('command');
  const refused: [object, string[]][] = [
    [{ image: null }, ['template.image']],
    [{ image: 'nothing' }, ['template.image']],
    [{ port: 0, health: { path: 'x' } }, ['template.port', 'template.health.path']],
    [{ name: 'x' }, ['template']],
  ];
  for (const [template, paths] of refused) {
    const { status, body } = await stage.patch(service, template);
    expect(status).toBe(422);
    expect(body.errors.map(({ path }: Body) => path)).toEqual(paths);
  }
  expect(await stage.get('services/strict')).toMatchObject({
    ...{ template: changed.template, latestDeploy: { id: changed.latestDeploy.id } },
  });
});

test('a deleted service cannot be changed', async () => {
  const service = await stage.create('gone');
  const [deleted, patched] = await Promise.all([
    stage.api.call('DELETE', `${P}/services/${service.id}`),
    stage.patch(service, { port: 1 }),
  ]);
  expect(deleted.status).toBe(202);
  expect([202, 404]).toContain(patched.status);
  expect(await stage.patch(service, { port: 2 })).toMatchObject({ status: 404 });
  const { items } = await stage.get('services');
  expect(items.map(({ id }: Body) => id)).not.toContain(service.id);
});

test('a rollback deploys what served before, once more; what it was is the template again', async () => {
  const { service, instance } = await stage.serving('back');
  const { items } = await stage.get('services/back/revisions');
  const [first] = items;
  const { imageDigest } = await stage.deployOf(service);
  expect(items).toEqual([expect.objectContaining({ number: 1, imageDigest })]);
  expect(await rollBack(service)).toMatchObject({ status: 409, body: { code: 'state-conflict' } });
  const changed = await stage.change(service, { env: { A: 'b' } });
  await stage.served(changed);

  const back = await rollBack(service);
  expect(back).toMatchObject({ status: 202, body: { template: service.template } });
  const again = await stage.served(back.body);
  expect(again.id).not.toBe(instance.id);
  expect(await stage.get('services/back')).toMatchObject({ servingRevision: first.id });
  expect(await rollBack(service, { revision: first.id })).toMatchObject({ status: 200 });

  const forth = await rollBack(service);
  expect(forth).toMatchObject({ status: 202, body: { template: { env: { A: 'b' } } } });
  const latest = { latestDeploy: { id: forth.body.latestDeploy.id } };
  expect(await rollBack(service)).toMatchObject({ status: 202 });
  expect(await stage.over({ ...service, ...latest })).toMatchObject({
    ...{ state: 'rolled-back', reason: 'rolled-back' },
  });
  const { items: all } = await stage.get('services/back/revisions');
  expect(all.map(({ number }: Body) => number)).toEqual([2, 1]);
  expect(await stage.get(`services/back/revisions/${first.id}`)).toEqual(first);
});

test('a restart replaces the instance by another of what serves, by the newest revision when nothing does', async () => {
  const { service, instance: old } = await stage.serving('again');
  const { revision } = await stage.deployOf(service);
  const restarted = await restart(service);
  expect(restarted).toMatchObject({ status: 202, body: { serving: true } });
  const instance = await stage.instanceOf(restarted.body);
  expect(await restart(service)).toMatchObject({
    ...{ status: 200, body: { latestDeploy: { id: restarted.body.latestDeploy.id } } },
  });
  await stage.begin(instance);
  await stage.routesTo(service, old.engineId);
  await stage.getReady(instance);
  expect(await stage.over(restarted.body)).toMatchObject({ state: 'succeeded', revision });
  await stage.routesTo(service, instance.engineId);
  await stage.routes.report([]);
  await stage.isIn('stopping', old);

  const broken = await stage.change(service, { command: ['nothing'] });
  await stage.report((await stage.instanceOf(broken)).engineId, exited(1));
  await stage.over(broken);
  const { body } = await restart(service);
  expect(body.template).toEqual(service.template);
  expect(await stage.deployOf(body)).toMatchObject({ revision });

  const first = await stage.create('never');
  await stage.report((await stage.instanceOf(first)).engineId, exited(1));
  const { state, revision: only } = await stage.over(first);
  expect(state).toBe('failed');
  const once = await restart(first);
  expect(once.status).toBe(202);
  expect(await stage.deployOf(once.body)).toMatchObject({ revision: only });
});

test('who is not shown the environment changes none of it, and the rest as they like', async () => {
  const service = await stage.create('blind', { env: { A: '1' } });
  const issued = await stage.api.call('POST', '/v1/organizations/local/api-keys', {
    body: { name: 'deploys', scopes: ['services:write', 'services:read'] },
  });
  const { token } = issued.body;
  const patch = (template: object) =>
    stage.api.call('PATCH', `${P}/services/${service.id}`, { body: { template }, token });
  for (const env of [{ A: null }, { B: '2' }, {}, null]) {
    const { status, body } = await patch({ env });
    expect({ status, ...body }).toMatchObject({
      ...{ status: 403, detail: expect.stringContaining('environment:read') },
    });
  }
  const changed = await patch({ port: 3000 });
  expect(changed).toMatchObject({
    status: 202,
    body: { template: { port: 3000, env: { A: null } } },
  });
  expect((await stage.get('services/blind')).template).toMatchObject({
    port: 3000,
    env: { A: '1' },
  });
});

test('one rolls back to a revision of the service, and no other', async () => {
  const service = await stage.create('mine');
  const other = await stage.create('other');
  const { revision } = await stage.deployOf(other);
  for (const named of [revision, 'rev_nothing']) {
    const { status, body } = await rollBack(service, { revision: named });
    expect({ status, errors: body.errors }).toMatchObject({
      ...{ status: 422, errors: [{ path: 'revision' }] },
    });
  }
  expect(await stage.get(`services/mine/revisions/${revision}`)).toMatchObject({ status: 404 });
});
