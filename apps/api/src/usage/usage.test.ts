import { randomBytes } from 'node:crypto';
import type { BuildOrder, Subject, SubjectUsage } from '@slipway/contracts';
import { newId } from '@slipway/db';
import { RouteTable } from '@slipway/routes';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { testBuilds } from '../testing/build.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import { joinTestNode, type TestNode } from '../testing/node.fixture.ts';
import { addPerson, keyOf } from '../testing/person.fixture.ts';
import { type Body, WITHIN } from '../testing/service.fixture.ts';
import { ServedStore } from './served.store.ts';
import { StoredStore } from './stored.store.ts';

const LOCAL = '/v1/organizations/local';
const GIB = 1024 ** 3;
/** A day of which nothing else is told. */
const DAY = Date.UTC(2026, 2, 14);
const ON_THAT_DAY = { from: '2026-03-14T00:00:00.000Z', to: '2026-03-15T00:00:00.000Z' };
const NOTHING = { cpuSeconds: 0, memoryByteSeconds: 0, storedByteSeconds: 0, servedBytes: 0 };
const QUERY = new URLSearchParams(ON_THAT_DAY).toString();

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

/** A project of its own, with the image. */
async function addProject(slug: string): Promise<string> {
  const { status } = await api.call('POST', `${LOCAL}/projects`, { body: { slug } });
  expect(status).toBe(201);
  await pushTestImage(api, `local/${slug}/app`, 'v1');
  return `${LOCAL}/projects/${slug}`;
}

async function containerIn(project: string): Promise<Body> {
  const { status, body } = await api.call('POST', `${project}/containers`, {
    body: { image: 'app:v1' },
  });
  expect([status, body]).toEqual([202, body]);
  return body;
}

const time = (seconds: number): string => new Date(DAY + seconds * 1_000).toISOString();

type Told = Partial<Record<'since' | 'cpuSeconds' | 'gib' | 'gibSeconds', number>>;

/** By what began as the day did; times in seconds of it. */
function usedBy(subject: Subject, at: number, { since = 0, ...counters }: Told): SubjectUsage {
  const { cpuSeconds = 0, gib = 0, gibSeconds = 0 } = counters;
  return {
    ...{ subject, startedAt: time(0), since: time(since), at: time(at) },
    ...{ cpuSeconds, firstMemoryBytes: gib * GIB, memoryBytes: gib * GIB },
    memoryByteSeconds: gibSeconds * GIB,
  };
}

/** By its first run. */
const used = ({ engineId }: Body, at: number, told: Told): SubjectUsage =>
  usedBy({ engineId, generation: 1 }, at, told);

const report = (...usage: SubjectUsage[]) => node.calls.reportUsage({ nodeId: node.id, usage });

const usageOf = async (place: string, query = QUERY): Promise<Body> => {
  const { status, body } = await api.call('GET', `${place}/usage?${query}`);
  expect([status, body]).toEqual([200, body]);
  return body;
};

const totalOf = async (place: string): Promise<number[]> => {
  const { cpuSeconds, memoryByteSeconds } = (await usageOf(place)).total;
  return [cpuSeconds, memoryByteSeconds / GIB];
};

describe('what runs use', () => {
  test('is what their counters have grown by, whoever counts', async () => {
    const at = await addProject('counters');
    const run = await containerIn(at);
    expect(await totalOf(at)).toEqual([0, 0]);
    await report(used(run, 10, { cpuSeconds: 4, gib: 1, gibSeconds: 9 }));
    expect(await totalOf(at)).toEqual([4, 9]);
    await report(used(run, 20, { cpuSeconds: 5, gib: 2, gibSeconds: 24 }));
    expect(await totalOf(at)).toEqual([5, 24]);
    await report(used(run, 30, { since: 25, cpuSeconds: 6, gib: 2, gibSeconds: 10 }));
    expect(await totalOf(at), 'an agent that has begun at 25').toEqual([6, 24 + 5 * 2 + 10]);
    await report(used(run, 35, { since: 25, cpuSeconds: 6, gib: 2, gibSeconds: 20 }));
    expect(await totalOf(at)).toEqual([6, 24 + 5 * 2 + 20]);
  });

  test('is counted once, however often it is told, and in which order', async () => {
    const at = await addProject('once');
    const [one, other] = [await containerIn(at), await containerIn(at)];
    const told = [10, 20, 30].map((seconds) =>
      [one, other].map((run) =>
        used(run, seconds, { cpuSeconds: seconds / 10, gib: 1, gibSeconds: seconds }),
      ),
    );
    await Promise.all([...told, ...told.reverse(), ...told].map((runs) => report(...runs)));
    expect(await totalOf(at)).toEqual([6, 60]);
  });

  test('is that of each run, also of containers that have gone since', async () => {
    const at = await addProject('runs');
    const run = await containerIn(at);
    await report(used(run, 10, { cpuSeconds: 4 }));
    await api.call('DELETE', `${at}/containers/${run.id}?force=true`);
    await node.calls.reportContainer({
      ...{ nodeId: node.id, engineId: run.engineId },
      observation: { state: 'removed', run: { generation: 1, exitCode: 137 } },
    });
    await report(used(run, 11, { cpuSeconds: 5 }));
    expect(await totalOf(at)).toEqual([5, 0]);
  });

  test('is nobody’s when no run of that node is like that', async () => {
    const at = await addProject('nobodys');
    const run = await containerIn(at);
    const { engineId } = run;
    await report(usedBy({ engineId, generation: 2 }, 10, { cpuSeconds: 4 }));
    await report(used({ engineId: 'f'.repeat(64) }, 10, { cpuSeconds: 4 }));
    const usage = [used(run, 10, { cpuSeconds: 4 })];
    await node.calls.reportUsage({ nodeId: 'nod_other', usage });
    await report();
    expect(await totalOf(at)).toEqual([0, 0]);
  });

  test('is nobody’s when another node tells of one that counts already', async () => {
    const at = await addProject('others');
    const run = await containerIn(at);
    await report(used(run, 10, { cpuSeconds: 4 }));
    const usage = [used(run, 20, { cpuSeconds: 9 })];
    await node.calls.reportUsage({ nodeId: 'nod_other', usage });
    expect(await totalOf(at)).toEqual([4, 0]);
  });
});

describe('what builds use', () => {
  const AT = `${LOCAL}/projects/default`;
  const usedByBuild = (
    { id: buildId, attempt }: Pick<BuildOrder, 'id' | 'attempt'>,
    sandbox: 'build' | 'push',
    told: Told,
  ): SubjectUsage => usedBy({ buildId, attempt, sandbox }, 10, told);

  test('is that of each of their sandboxes, at each attempt', async () => {
    const builds = testBuilds(api, node);
    const made = await builds.build();
    const first = await builds.take(made);
    await report(usedByBuild(first, 'build', { cpuSeconds: 3, gib: 1, gibSeconds: 5 }));
    expect(await totalOf(AT)).toEqual([3, 5]);
    await node.builds.releaseBuilds({ nodeId: node.id });
    const again = await builds.take(made);
    expect(again.attempt).toBe(2);
    await report(
      usedByBuild(first, 'build', { cpuSeconds: 4, gib: 1, gibSeconds: 6 }),
      usedByBuild(again, 'build', { cpuSeconds: 10, gib: 1, gibSeconds: 10 }),
      usedByBuild(again, 'push', { cpuSeconds: 1, gib: 1, gibSeconds: 2 }),
    );
    expect(await totalOf(AT)).toEqual([15, 18]);
    await builds.end(again);
    await report(usedByBuild(again, 'push', { cpuSeconds: 2, gib: 1, gibSeconds: 3 }));
    expect(await totalOf(AT)).toEqual([16, 19]);
  });

  test('is nobody’s when none of that node is like that', async () => {
    const builds = testBuilds(api, node);
    const before = await totalOf(AT);
    const queued = await builds.build();
    await report(usedByBuild({ ...queued, attempt: 1 }, 'build', { cpuSeconds: 4 }));
    const order = await builds.take(queued);
    await report(
      usedByBuild({ ...order, attempt: 2 }, 'build', { cpuSeconds: 4 }),
      usedByBuild({ id: 'bld_none', attempt: 1 }, 'build', { cpuSeconds: 4 }),
    );
    const usage = [usedByBuild(order, 'build', { cpuSeconds: 4 })];
    await node.calls.reportUsage({ nodeId: 'nod_other', usage });
    expect(await totalOf(AT)).toEqual(before);
    await builds.end(order);
  });
});

describe('what images hold', () => {
  /** A day that has not come: only the test counts it. */
  const BEGUN = Date.UTC(2100, 2, 14);
  const time = (seconds: number): Date => new Date(BEGUN + seconds * 1_000);
  let database: ReturnType<TestApi['openDatabase']>;
  let stored: StoredStore;
  beforeAll(async () => {
    database = api.openDatabase();
    stored = new StoredStore(database);
    await begin();
  });
  afterAll(() => database?.[Symbol.asyncDispose]());

  const begin = () => database.prisma.storedUntil.updateMany({ data: { until: time(0) } });

  async function repositoryIn(slug: string, name = 'app') {
    const { id, ...place } = await database.prisma.project.findFirstOrThrow({ where: { slug } });
    const repository = await database.prisma.repository.create({
      data: { id: newId('rep'), projectId: id, organizationId: place.organizationId, name },
    });
    const repositoryId = repository.id;
    return {
      async link(digest: string, sizeBytes: number, seconds: number): Promise<void> {
        await database.prisma.repositoryBlob.create({
          data: { repositoryId, digest, sizeBytes, createdAt: time(seconds) },
        });
      },
      async unlink(digest: string, seconds: number): Promise<void> {
        await database.prisma.repositoryBlob.deleteMany({ where: { repositoryId, digest } });
        await database.prisma.$executeRaw`UPDATE "Unlinked" SET "unlinkedAt" = ${time(seconds)}
          WHERE id = (SELECT max(id) FROM "Unlinked")`;
      },
      async manifest(digest: string, content: string, seconds: number): Promise<void> {
        await database.prisma.manifest.create({
          data: {
            ...{ repositoryId, digest, mediaType: '', content: Buffer.from(content) },
            createdAt: time(seconds),
          },
        });
      },
    };
  }

  async function storedOf(at: string, interval = 'day'): Promise<number[]> {
    const query = `from=${time(0).toISOString()}&to=${time(86_400).toISOString()}&interval=${interval}`;
    const { intervals } = await usageOf(at, query);
    return intervals.map(({ storedByteSeconds }: Body) => storedByteSeconds);
  }

  async function emptyProject(slug: string): Promise<string> {
    await api.call('POST', `${LOCAL}/projects`, { body: { slug } });
    return `${LOCAL}/projects/${slug}`;
  }

  test('counts while a repository has it, in each hour, however often it is counted', async () => {
    await begin();
    const at = await emptyProject('holds');
    const images = await repositoryIn('holds');
    await images.link('sha256:a', 100, 1_000);
    await images.manifest('sha256:m', '12345', 7_100);
    for (const seconds of [500, 1_500, 1_500, 3_700]) await stored.count(time(seconds));
    expect(await storedOf(at, 'hour')).toEqual([2_600 * 100, 100 * 100]);
    await images.unlink('sha256:a', 5_000);
    await Promise.all([stored.count(time(7_200)), stored.count(time(7_200))]);
    await stored.count(time(7_000));
    expect(await storedOf(at, 'hour')).toEqual([2_600 * 100, 1_400 * 100 + 100 * 5]);
    expect(await database.prisma.unlinked.count()).toBe(0);
    await database.prisma.manifest.deleteMany({ where: { digest: 'sha256:m' } });
    await database.prisma.$executeRaw`UPDATE "Unlinked" SET "unlinkedAt" = ${time(7_300)}`;
    await stored.count(time(9_000));
    expect((await storedOf(at, 'hour')).at(-1)).toBe(100 * 5);
  });

  test('counts once, where several repositories of a project have it, or have it again', async () => {
    await begin();
    const at = await emptyProject('shares');
    const other = await emptyProject('shares-not');
    const [one, two] = [await repositoryIn('shares'), await repositoryIn('shares', 'two')];
    const foreign = await repositoryIn('shares-not');
    await one.link('sha256:a', 10, 0);
    await two.link('sha256:a', 10, 50);
    await foreign.link('sha256:a', 10, 90);
    await one.unlink('sha256:a', 100);
    await one.link('sha256:a', 10, 150);
    await one.unlink('sha256:a', 160);
    await two.unlink('sha256:a', 200);
    await one.link('sha256:a', 10, 300);
    await stored.count(time(400));
    expect(await storedOf(at)).toEqual([(200 + 100) * 10]);
    expect(await storedOf(other)).toEqual([310 * 10]);
  });

  test('counts to the moment, also where it is gone before it is counted, or goes after', async () => {
    await begin();
    const at = await emptyProject('goes');
    const images = await repositoryIn('goes');
    await images.link('sha256:a', 1, 10);
    await images.unlink('sha256:a', 20);
    await images.link('sha256:b', 1, 30);
    await images.unlink('sha256:b', 90);
    await stored.count(time(50));
    expect(await storedOf(at)).toEqual([30]);
    await stored.count(time(100));
    expect(await storedOf(at)).toEqual([70]);
  });
});

describe('what edges serve', () => {
  let database: ReturnType<TestApi['openDatabase']>;
  let store: ServedStore;
  beforeAll(() => {
    database = api.openDatabase();
    store = new ServedStore(database);
  });
  afterAll(() => database?.[Symbol.asyncDispose]());

  async function serviceIn(slug: string): Promise<string> {
    const project = await database.prisma.project.findFirstOrThrow({ where: { slug } });
    const { id } = await database.prisma.service.create({
      data: {
        ...{ id: newId('svc'), organizationId: project.organizationId, projectId: project.id },
        ...{ name: `n${randomBytes(4).toString('hex')}`, label: randomBytes(8).toString('hex') },
      },
    });
    return id;
  }

  const servedOf = async (at: string) => (await usageOf(at, '')).total.servedBytes;

  test('counts once, however often and in which order it is told, of each edge', async () => {
    const at = await addProject('serves');
    const [one, two] = [await serviceIn('serves'), await serviceIn('serves')];
    const told = (edgeId: string, serviceId: string, bytes: number) => ({
      ...{ edgeId, serviceId, bytes, isGone: false },
    });
    const first = [told('edge-1', one, 100), told('edge-1', two, 1), told('edge-2', one, 1_000)];
    const later = [told('edge-1', one, 250), told('edge-2', one, 1_000)];
    await store.note(first);
    expect(await servedOf(at)).toBe(1_101);
    await Promise.all([first, later, first, later].map((all) => store.note(all)));
    await store.note([...first, told('edge-3', 'svc_none', 5)]);
    expect(await servedOf(at)).toBe(1_251);
  });

  test('counts, as long as an edge tells it', async () => {
    const at = await addProject('tells');
    const service = await serviceIn('tells');
    const edge = await RouteTable.open(api.redisUrl);
    try {
      await edge.report([]);
      for (const bytes of [10, 25]) {
        await edge.tellServed(new Map([[service, bytes]]));
        await vi.waitFor(async () => expect(await servedOf(at)).toBe(bytes), WITHIN);
      }
    } finally {
      await edge.close();
    }
  });

  test('is remembered until its edge has been gone for long', async () => {
    await addProject('remembers');
    const service = await serviceIn('remembers');
    const edgeId = 'edge-that-is-gone';
    await store.note([{ edgeId, serviceId: service, bytes: 7, isGone: false }]);
    expect(await store.silentEdges(new Date(Date.now() - 60_000))).not.toContain(edgeId);
    expect(await store.silentEdges(new Date(Date.now() + 60_000))).toContain(edgeId);
    await store.forget([edgeId]);
    expect(await store.silentEdges(new Date(Date.now() + 60_000))).not.toContain(edgeId);
  });
});

describe('usage', () => {
  let at: string;
  beforeAll(async () => {
    at = await addProject('answers');
    const run = await containerIn(at);
    await report(used(run, 1_800, { cpuSeconds: 2, gib: 1, gibSeconds: 1_800 }));
    await report(used(run, 5_400, { cpuSeconds: 6, gib: 1, gibSeconds: 5_400 }));
  });

  test('of a project is by days, or by hours', async () => {
    const total = { ...NOTHING, cpuSeconds: 6, memoryByteSeconds: 5_400 * GIB };
    expect(await usageOf(at)).toEqual({
      ...ON_THAT_DAY,
      ...{ total, intervals: [{ from: time(0), ...total }] },
    });
    expect(await usageOf(at, `${QUERY}&interval=hour`)).toEqual({
      ...{ ...ON_THAT_DAY, total },
      intervals: [
        { ...NOTHING, from: time(0), cpuSeconds: 4, memoryByteSeconds: 3_600 * GIB },
        { ...NOTHING, from: time(3_600), cpuSeconds: 2, memoryByteSeconds: 1_800 * GIB },
      ],
    });
  });

  test('of an organization is by its projects', async () => {
    const { total, projects, ...period } = await usageOf(LOCAL);
    expect(period).toEqual(ON_THAT_DAY);
    expect(projects).toContainEqual({
      ...{ ...NOTHING, project: 'answers', cpuSeconds: 6, memoryByteSeconds: 5_400 * GIB },
    });
    const ever = 'from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z';
    expect((await usageOf(LOCAL, ever)).total.cpuSeconds).toEqual(total.cpuSeconds);
    const sum = projects.reduce((all: number, { cpuSeconds }: Body) => all + cpuSeconds, 0);
    expect(total.cpuSeconds).toBe(sum);
  });

  test('is of whole hours', async () => {
    const query = 'from=2026-03-14T02:30:00%2B01:00&to=2026-03-14T01:30:00.5Z&interval=hour';
    const total = { ...NOTHING, cpuSeconds: 2, memoryByteSeconds: 1_800 * GIB };
    expect(await usageOf(at, query)).toEqual({
      ...{ from: time(3_600), to: time(7_200) },
      ...{ total, intervals: [{ from: time(3_600), ...total }] },
    });
  });

  test('is of this month until now, unless one asks for another time', async () => {
    const now = new Date();
    const { from, to, total } = await usageOf(at, '');
    expect(from).toBe(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth())).toISOString());
    expect(Date.parse(to) - now.getTime()).toBeGreaterThanOrEqual(0);
    expect(Date.parse(to) - now.getTime()).toBeLessThan(2 * 3_600_000);
    expect(total).toMatchObject({ cpuSeconds: 0, memoryByteSeconds: 0 });
  });

  test.for([
    ['from=2026-03-15T00:00:00Z&to=2026-03-14T00:00:00Z', 'query.to'],
    ['from=yesterday', 'query.from'],
    ['interval=week', 'query.interval'],
    ['interval=hour&from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z', 'query.interval'],
    ['interval=day&from=0001-01-01T00:00:00Z&to=9999-01-01T00:00:00Z', 'query.interval'],
  ])('of %s is refused: %s', async ([query, path]) => {
    const { status, body } = await api.call('GET', `${at}/usage?${query}`);
    expect([status, body.errors?.[0]?.path]).toEqual([422, path]);
  });

  test('sees who is of the organization, and a project’s key that of its project', async () => {
    const owner = await addPerson(api, 'usage');
    const place = `/v1/organizations/${owner.name}`;
    const key = await keyOf(owner, { scopes: ['usage:read'], project: 'default' });
    const answerOf = async (path: string, token: string) =>
      (await api.call('GET', path, { token })).status;
    expect(await answerOf(`${place}/projects/default/usage`, key.token)).toBe(200);
    expect(await answerOf(`${place}/usage`, key.token)).toBe(404);
    expect(await answerOf(`${at}/usage`, key.token)).toBe(404);
    expect((await owner.call('GET', `${place}/usage`)).body).toMatchObject({ projects: [] });
  });
});
