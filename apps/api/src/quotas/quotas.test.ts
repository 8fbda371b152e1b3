import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Answer, startTestApi } from '../testing/api.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import { addMember, addPerson, keyOf, type Person } from '../testing/person.fixture.ts';
import { type Body, exited, P, ServiceStage, WITHIN } from '../testing/service.fixture.ts';

const GIB = 1024 ** 3;
const LOCAL = '/v1/organizations/local';
const FREE = { containers: null, cpus: null, memoryBytes: null };

let stage: ServiceStage;
beforeAll(async () => {
  stage = await ServiceStage.set();
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const call = (method: string, path: string, body?: unknown) =>
  stage.api.call(method, path, body === undefined ? {} : { body });

async function limit(place: string, limits: object): Promise<Body> {
  const { status, body } = await call('PATCH', `${place}/quotas`, limits);
  expect([status, body]).toEqual([200, body]);
  return body;
}

const quotasOf = async (place: string): Promise<Body> =>
  (await call('GET', `${place}/quotas`)).body;

const create = (body: object = {}, project = P): Promise<Answer> =>
  call('POST', `${project}/containers`, { image: 'local/default/app:v1', ...body });

async function created(body: object = {}, project = P): Promise<Body> {
  const answer = await create(body, project);
  expect(answer).toMatchObject({ status: 202 });
  return answer.body;
}

/** A project of its own, with the image. */
async function addProject(slug: string): Promise<string> {
  expect(await call('POST', `${LOCAL}/projects`, { slug })).toMatchObject({ status: 201 });
  await pushTestImage(stage.api, `local/${slug}/app`, 'v1');
  return `${LOCAL}/projects/${slug}`;
}

describe('what is used', () => {
  test('is what is there, and of CPUs and memory what runs', async () => {
    const at = await addProject('used');
    const used = async () => {
      const { containers, cpus, memoryBytes } = await quotasOf(at);
      return [containers, cpus, memoryBytes].map((quota) => quota.used);
    };
    const needs = { image: 'app:v1', cpus: 0.1, memoryBytes: GIB };
    expect(await used()).toEqual([0, 0, 0]);
    await created({ ...needs, start: false }, at);
    expect(await used()).toEqual([1, 0, 0]);
    const { id, engineId } = await created(needs, at);
    const again = await created({ ...needs, cpus: 0.2, restartPolicy: 'always' }, at);
    expect(await used()).toEqual([3, 0.3, 2 * GIB]);
    await stage.begin({ engineId });
    await stage.begin(again);
    expect(await used()).toEqual([3, 0.3, 2 * GIB]);
    await call('POST', `${at}/containers/${id}/stop`);
    expect(await used()).toEqual([3, 0.3, 2 * GIB]);
    await stage.report(engineId, exited(1));
    expect(await used()).toEqual([3, 0.2, GIB]);
    await stage.report(again.engineId, exited(1));
    expect(await used(), 'while it waits for its next run').toEqual([3, 0.2, GIB]);
    await call('DELETE', `${at}/containers/${id}`);
    expect(await used()).toEqual([2, 0.2, GIB]);
  });

  test('is a project’s alone, and an organization’s in all of them', async () => {
    const before = await quotasOf(LOCAL);
    const [one, other] = [await addProject('one'), await addProject('other')];
    await created({ image: 'app:v1' }, one);
    expect((await quotasOf(one)).containers.used).toBe(1);
    expect((await quotasOf(other)).containers.used).toBe(0);
    expect((await quotasOf(LOCAL)).containers.used).toBe(before.containers.used + 1);
  });
});

describe('what would be too much', () => {
  test('says of what, whose, how much there may be and is, and what it needs', async () => {
    const at = await addProject('says');
    await limit(at, { containers: 2, cpus: 1.5, memoryBytes: 4 * GIB });
    const needs = { image: 'app:v1', cpus: 1, memoryBytes: GIB };
    await created(needs, at);
    const ofProject = { code: 'quota-exceeded', of: 'project' };
    expect(await create(needs, at)).toMatchObject({
      status: 403,
      body: {
        ...{ ...ofProject, quota: 'cpus', limit: 1.5, used: 1, requested: 1 },
        detail:
          'The project may have 1.5 CPUs of containers that run, and has 1; this needs 1 more. Stop some first, or have the limit raised: the owners and admins of its organization can raise it.',
      },
    });
    expect(await create({ ...needs, cpus: 0.1, memoryBytes: 4 * GIB }, at)).toMatchObject({
      status: 403,
      body: { ...ofProject, quota: 'memoryBytes', limit: 4 * GIB, used: GIB, requested: 4 * GIB },
    });
    const resting = await created({ ...needs, start: false }, at);
    expect(await create({ ...needs, start: false }, at)).toMatchObject({
      status: 403,
      body: { ...ofProject, quota: 'containers', limit: 2, used: 2, requested: 1 },
    });
    for (const verb of ['start', 'restart']) {
      await stage.report(resting.engineId, { state: 'created' });
      expect(await call('POST', `${at}/containers/${resting.id}/${verb}`)).toMatchObject({
        status: 403,
        body: { ...ofProject, quota: 'cpus', used: 1, requested: 1 },
      });
    }
    expect(await quotasOf(at)).toMatchObject({
      containers: { limit: 2, used: 2 },
      cpus: { limit: 1.5, used: 1 },
      memoryBytes: { limit: 4 * GIB, used: GIB },
    });
  });

  test('does not come about however many want it at a time: there is one winner', async () => {
    const [one, other] = [await addProject('racing'), await addProject('racing-too')];
    const { containers } = await quotasOf(LOCAL);
    await limit(LOCAL, { containers: containers.used + 1 });
    const racing = Array.from({ length: 12 }, (_, at) =>
      create({ image: 'app:v1', start: false }, at % 2 === 0 ? one : other),
    );
    const statuses = (await Promise.all(racing)).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([202, ...Array.from({ length: 11 }, () => 403)]);
    await limit(LOCAL, FREE);

    const resting = await Promise.all(
      Array.from({ length: 6 }, () => created({ image: 'app:v1', start: false }, one)),
    );
    for (const { engineId } of resting) await stage.report(engineId, { state: 'created' });
    await limit(one, { cpus: 2 });
    const starts = await Promise.all(
      resting.map(({ id }) => call('POST', `${one}/containers/${id}/start`)),
    );
    expect(starts.filter(({ status }) => status < 300)).toHaveLength(2);
    expect((await quotasOf(one)).cpus).toEqual({ limit: 2, used: 2 });
  });

  test('fails a deploy, and what serves goes on', async () => {
    const { service, instance } = await stage.serving('limited');
    const { cpus } = await quotasOf(P);
    await limit(P, { cpus: cpus.used });
    const changed = await stage.change(service, { env: { A: 'b' } });
    expect(await stage.over(changed)).toMatchObject({
      ...{ state: 'failed', reason: 'quota-exceeded' },
      message: expect.stringContaining('CPUs of containers that run'),
    });
    expect(await stage.get(`containers/${instance.id}`)).toMatchObject({ state: 'running' });
    await limit(P, FREE);
  });

  test('is not begun again what runs, nor what waits for its next run', async () => {
    const at = await addProject('again');
    const needs = { image: 'app:v1', cpus: 1 };
    const container = await created({ ...needs, restartPolicy: 'always' }, at);
    await stage.begin(container);
    await limit(at, { containers: 0, cpus: 0.5 });
    await stage.report(container.engineId, exited(1));
    await vi.waitFor(async () => {
      const { body } = await call('GET', `${at}/containers/${container.id}`);
      expect(body.generation).toBe(2);
    }, WITHIN);
    await stage.begin(container, 2);
    const restart = await call('POST', `${at}/containers/${container.id}/restart`);
    expect(restart).toMatchObject({ status: 202 });
  });
});

describe('limits', () => {
  let ada: Person;
  beforeAll(async () => {
    ada = await addPerson(stage.api, 'ada');
  });
  const ADA = '/v1/organizations/ada';

  test('of an organization sets the operator, whose ever it is', async () => {
    const limits = { containers: 3, cpus: 0.5, memoryBytes: GIB };
    const set = {
      containers: { limit: 3, used: 0 },
      cpus: { limit: 0.5, used: 0 },
      memoryBytes: { limit: GIB, used: 0 },
    };
    expect(await limit(ADA, limits)).toMatchObject(set);
    expect((await ada.call('GET', `${ADA}/quotas`)).body).toMatchObject(set);
    expect((await limit(ADA, { cpus: null })).cpus.limit).toBeNull();
    expect(await limit(ADA, FREE)).toMatchObject({ containers: { limit: null } });
    expect(await call('PATCH', '/v1/organizations/nowhere/quotas', {})).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    });
  });

  test('of a project set the admins of its organization, and nobody below', async () => {
    const at = `${ADA}/projects/default`;
    const admin = await addMember(stage.api, ada, { name: 'admin', role: 'admin' });
    const developer = await keyOf(ada, { role: 'developer' });
    const path = `${at}/quotas`;
    expect(await admin.call('PATCH', path, { containers: 0 })).toMatchObject({ status: 200 });
    expect(await stage.api.call('GET', path, developer)).toMatchObject({
      status: 200,
      body: { containers: { limit: 0, used: 0 }, cpus: { limit: null, used: 0 } },
    });
    const patch = { ...developer, body: { containers: 1 } };
    expect(await stage.api.call('PATCH', path, patch)).toMatchObject({ status: 403 });
  });

  test.each([
    ['containers', -1],
    ['containers', 1.5],
    ['containers', '1'],
    ['containers', 1e300],
    ['cpus', -0.1],
    ['cpus', {}],
    ['memoryBytes', 0.5],
    ['body', 1],
  ])('%s of %s are none', async (name, value) => {
    const before = await quotasOf(P);
    const body = name === 'body' ? { pids: value } : { [name]: value };
    expect(await call('PATCH', `${P}/quotas`, body)).toMatchObject({
      status: 422,
      body: { code: 'invalid-request', errors: [{ path: name }] },
    });
    expect(await quotasOf(P)).toEqual(before);
  });
});

test('what nobody has set is as the platform’s environment says', async () => {
  await using api = await startTestApi({ QUOTA_CONTAINERS: '7', QUOTA_CPUS: '0.5' });
  const at = `${LOCAL}/quotas`;
  const limits = async () => {
    const { containers, cpus, memoryBytes } = (await api.call('GET', at)).body;
    return [containers, cpus, memoryBytes].map((quota) => quota.limit);
  };
  expect(await limits()).toEqual([7, 0.5, null]);
  await api.call('PATCH', at, { body: { containers: 9 } });
  expect(await limits()).toEqual([9, 0.5, null]);
  await api.call('PATCH', at, { body: { containers: null } });
  expect(await limits()).toEqual([7, 0.5, null]);
});
