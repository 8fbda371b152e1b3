import { openDatabase } from '@slipway/db';
import { Secret } from '@slipway/log';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { seed } from '../operator/seed.store.ts';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
});

test('the operator’s key opens the first organization and project', async () => {
  const { status, body } = await api.call('GET', '/v1/me');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    isOperator: true,
    organizations: [{ slug: 'local', role: 'owner' }],
    projects: [{ organization: 'local', slug: 'default' }],
  });
});

/** what the platform found a moment ago it may take for what is */
const isRefused = () =>
  vi.waitFor(async () => expect((await api.call('GET', '/v1/me')).status).toBe(401), 10_000);

test('no key, a wrong one, another scheme or an expired key is 401 and says how to send one', async () => {
  const none = await api.call('GET', '/v1/me', { token: null });
  expect(none).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  expect(none.headers.get('www-authenticate')).toBe('Bearer');
  expect(await api.call('GET', '/v1/me', { token: `${api.token}x` })).toMatchObject({
    status: 401,
  });
  const basic = { authorization: `Basic ${btoa(`user:${api.token}`)}` };
  expect(await api.call('GET', '/v1/me', { headers: basic })).toMatchObject({ status: 401 });

  const database = openDatabase(api.databaseUrl);
  const expire = (expiresAt: Date | null) =>
    database.prisma.apiKey.updateMany({ data: { expiresAt } });
  await expire(new Date(Date.now() - 1000));
  await isRefused();
  await expire(null);
  expect(await api.call('GET', '/v1/me')).toMatchObject({ status: 200 });
  await database.close();
});

test('the seed changes nothing when it is repeated; another token takes the first one’s place', async () => {
  const database = openDatabase(api.databaseUrl);
  try {
    const again = (token: string) => seed(database, new Secret(token));
    await Promise.all([again(api.token), again(api.token), again(api.token)]);
    expect(await database.prisma.apiKey.count()).toBe(1);
    expect(await database.prisma.project.count()).toBe(2);
    const next = `slp_${'n'.repeat(43)}`;
    await again(next);
    await isRefused();
    expect(await api.call('GET', '/v1/me', { token: next })).toMatchObject({ status: 200 });
  } finally {
    await database.close();
  }
});
