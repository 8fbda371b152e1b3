import type { BuildOrder } from '@slipway/contracts';
import { openDatabase } from '@slipway/db';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { TAR, testBuilds } from '../testing/build.fixture.ts';
import { joinTestNode, type TestNode } from '../testing/node.fixture.ts';

const LOCAL = '/v1/organizations/local';
const P = `${LOCAL}/projects/default`;
const OTHER = `${LOCAL}/projects/other`;
const FREE = { concurrentBuilds: null, queuedBuilds: null };

let api: TestApi;
let node: TestNode;
let builds: ReturnType<typeof testBuilds>;

beforeAll(async () => {
  api = await startTestApi({ QUOTA_CONCURRENT_BUILDS: '3' });
  node = await joinTestNode(api);
  builds = testBuilds(api, node);
  await api.call('POST', `${LOCAL}/projects`, { body: { slug: 'other' } });
});

afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

afterEach(async () => {
  for (const place of [LOCAL, P]) await limit(place, FREE);
  await builds.clear();
});

async function limit(place: string, body: object): Promise<void> {
  expect(await api.call('PATCH', `${place}/quotas`, { body })).toMatchObject({ status: 200 });
}

const post = (project = P): Promise<Answer> =>
  api.call('POST', `${project}/builds?image=web`, { body: 'a tar', headers: TAR });

async function build(project = P): Promise<{ id: string }> {
  const answer = await post(project);
  expect(answer).toMatchObject({ status: 202 });
  return answer.body;
}

const next = async (): Promise<BuildOrder | null> =>
  (await node.builds.takeBuild({ nodeId: node.id })).order;

async function taken({ id }: { id: string }): Promise<BuildOrder> {
  const order = await next();
  expect(order?.id).toBe(id);
  return order ?? expect.unreachable();
}

const usedOf = async (place: string) => {
  const { concurrentBuilds, queuedBuilds } = (await api.call('GET', `${place}/quotas`)).body;
  return [concurrentBuilds.used, queuedBuilds.used];
};

describe('builds at a time', () => {
  test('are as many as the project may have: others wait, and say for what', async () => {
    await limit(P, { concurrentBuilds: 1 });
    const [first, second] = [await build(), await build()];
    const elsewhere = await build(OTHER);
    expect(await usedOf(P)).toEqual([0, 2]);
    expect(first).toMatchObject({ waitsFor: null });

    const order = await taken(first);
    expect(await builds.get(first)).toMatchObject({ state: 'running', waitsFor: null });
    expect(await builds.get(second)).toMatchObject({
      state: 'queued',
      waitsFor: { quota: 'concurrentBuilds', of: 'project', limit: 1, used: 1, requested: 1 },
    });
    await taken(elsewhere);
    expect(await next()).toBeNull();
    expect(await usedOf(P)).toEqual([1, 1]);
    expect(await usedOf(LOCAL)).toEqual([2, 1]);

    await builds.end(order);
    expect(await builds.get(second)).toMatchObject({ waitsFor: null });
    await taken(second);
  });

  test('are as many as the organization may have in all of its projects', async () => {
    await limit(LOCAL, { concurrentBuilds: 2 });
    const made = [await build(), await build(OTHER), await build()] as const;
    await taken(made[0]);
    const order = await taken(made[1]);
    expect(await next()).toBeNull();
    expect(await builds.get(made[2])).toMatchObject({
      waitsFor: { of: 'organization', limit: 2, used: 2 },
    });
    await builds.end(order);
    await taken(made[2]);
  });

  test('are as many as the platform’s environment says where nobody has set it', async () => {
    for (let count = 0; count < 5; count++) await build();
    for (let count = 0; count < 3; count++) expect(await next()).not.toBeNull();
    expect(await next()).toBeNull();
  });

  test('are never more, however many nodes ask at a time', async () => {
    await limit(P, { concurrentBuilds: 1 });
    for (let count = 0; count < 4; count++) await build();
    const orders = await Promise.all(Array.from({ length: 8 }, next));
    expect(orders.filter((order) => order !== null)).toHaveLength(1);
  });

  test('may be none, until it is more', async () => {
    await limit(P, { concurrentBuilds: 0 });
    const made = await build();
    expect(await next()).toBeNull();
    expect(await builds.get(made)).toMatchObject({ waitsFor: { limit: 0, used: 0 } });
    await limit(P, { concurrentBuilds: 1 });
    await taken(made);
  });

  test('do not count one whose node has gone: it begins again', async () => {
    await limit(P, { concurrentBuilds: 1 });
    const [first, second] = [await build(), await build()];
    await taken(first);
    await node.builds.releaseBuilds({ nodeId: node.id });
    const again = await taken(first);
    expect(again.attempt).toBe(2);
    expect(await next()).toBeNull();
    await builds.end(again);
    await taken(second);
  });
});

describe('builds that wait', () => {
  test('are refused when there are as many as may be, before their files are kept', async () => {
    await limit(P, { queuedBuilds: 1 });
    const first = await build();
    const database = openDatabase(api.databaseUrl);
    const before = await database.prisma.context.count();
    expect(await post()).toMatchObject({
      status: 403,
      body: {
        ...{ code: 'quota-exceeded', quota: 'queuedBuilds', of: 'project' },
        ...{ limit: 1, used: 1, requested: 1 },
      },
    });
    expect(await database.prisma.context.count()).toBe(before);
    await database.close();

    await taken(first);
    const second = await build();
    expect(await post()).toMatchObject({ status: 403 });
    await api.call('POST', `${P}/builds/${second.id}/cancel`);
    await build();
  });

  test('are never more, however many are asked for at a time', async () => {
    await limit(LOCAL, { queuedBuilds: 2 });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, at) => post(at % 2 === 0 ? P : OTHER)),
    );
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([202, 202, ...Array.from({ length: 10 }, () => 403)]);
    expect(await usedOf(LOCAL)).toEqual([0, 2]);
  });
});
