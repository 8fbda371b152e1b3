import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import { joinTestNode, type TestNode } from '../testing/node.fixture.ts';

const AT = '/v1/organizations/local/projects';

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

test('a project is made, listed and found by slug and identifier', async () => {
  const made = await api.call('POST', AT, { body: { slug: 'shop', name: 'The shop' } });
  expect(made).toMatchObject({
    status: 201,
    body: { organization: 'local', slug: 'shop', name: 'The shop' },
  });
  for (const reference of ['shop', made.body.id]) {
    const found = await api.call('GET', `${AT}/${reference}`);
    expect(found).toMatchObject({ status: 200, body: made.body });
  }
  const first = await api.call('GET', `${AT}?limit=1`);
  expect(first.body.items).toMatchObject([{ slug: 'default' }]);
  const next = await api.call('GET', `${AT}?limit=1&cursor=${first.body.nextCursor}`);
  expect(next.body).toEqual({ items: [made.body], nextCursor: null });
  expect(await api.call('POST', AT, { body: { slug: 'shop' } })).toMatchObject({
    status: 409,
    body: { code: 'already-exists' },
  });
});

test('projects have names and images of their own', async () => {
  await api.call('POST', AT, { body: { slug: 'one' } });
  await api.call('POST', AT, { body: { slug: 'two' } });
  await pushTestImage(api, 'local/one/app', 'latest');
  const run = (project: string, image: string) =>
    api.call('POST', `${AT}/${project}/containers`, { body: { image, name: 'web' } });
  expect((await run('one', 'app')).status).toBe(202);
  expect(await run('two', 'app')).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'image' }] },
  });
  expect((await run('two', 'local/one/app')).status).toBe(202);
  const listed = await api.call('GET', `${AT}/two/containers`);
  expect(listed.body.items).toMatchObject([{ image: 'local/one/app' }]);
});

test('slugs that stand for something else, or cannot stand in an image’s name, are refused', async () => {
  const slugs = [
    'base',
    'library',
    'v2',
    'token',
    'localhost',
    'Shop',
    'a.b',
    'prj_x',
    '-a',
    'a--b',
  ];
  for (const slug of [...slugs, '', 'x'.repeat(41)]) {
    const answer = await api.call('POST', AT, { body: { slug } });
    expect([slug, answer.status, answer.body.errors?.[0]?.path]).toEqual([slug, 422, 'slug']);
  }
});
