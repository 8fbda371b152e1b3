import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import {
  addMember,
  addPerson,
  type Credential,
  invite,
  join,
  type Person,
} from '../testing/person.fixture.ts';

const ORGANIZATION = '/v1/organizations/ada';
const KEYS = `${ORGANIZATION}/api-keys`;
const WITHIN = { timeout: 30_000 };
const CONTAINERS = `${ORGANIZATION}/projects/default/containers`;

let api: TestApi;
/** the owner of the organization `ada` */
let ada: Person;
beforeAll(async () => {
  api = await startTestApi();
  ada = await addPerson(api, 'ada');
  await call(ada, 'POST', `${ORGANIZATION}/projects`, { slug: 'other' });
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
});

function call(by: Credential, method: string, path: string, body?: unknown) {
  return api.call(method, path, { ...by, ...(body === undefined ? {} : { body }) });
}

async function make(by: Credential, wish: object): Promise<{ id: string; token: string }> {
  const { status, body } = await call(by, 'POST', KEYS, { name: 'ci', ...wish });
  expect([status, body]).toEqual([201, body]);
  return body;
}

/** A new member of `ada`. */
async function member(name: string, role: string) {
  const person = await addMember(api, ada, { name, role });
  return { person, at: `${ORGANIZATION}/members/${name}@example.test` };
}

/** What is remembered of a key is half a second old at most. */
async function becomes(by: Credential, expected: object): Promise<void> {
  await vi.waitFor(
    async () => expect(await call(by, 'GET', CONTAINERS)).toMatchObject(expected),
    WITHIN,
  );
}

const ok = { status: 200 };
const over = { status: 401, body: { code: 'unauthenticated' } };
const gone = { status: 404, body: { code: 'not-found' } };
const forbidden = { status: 403, body: { code: 'forbidden' } };
const refused = (path: string, message: string) => ({
  status: 422,
  body: { errors: [{ path, message: expect.stringContaining(message) }] },
});

test('a key is shown once, kept as its hash, listed, and worth nothing once it is revoked', async () => {
  const made = await call(ada, 'POST', KEYS, { name: 'deploys', role: 'developer' });
  const { token, ...shown } = made.body;
  expect(made.status).toBe(201);
  expect(token).toMatch(/^slp_[\w-]{43}$/);
  expect(shown).toMatchObject({
    ...{ name: 'deploys', prefix: token.slice(0, 8), role: 'developer', scopes: [], project: null },
    ...{ createdBy: { email: 'ada@example.test' }, createdWith: null },
    ...{ expiresAt: null, lastUsedAt: null },
  });
  expect(await call(ada, 'GET', `${KEYS}/${shown.id}`)).toMatchObject({ status: 200, body: shown });
  await using database = api.openDatabase();
  const row = await database.prisma.apiKey.findUniqueOrThrow({ where: { id: shown.id } });
  expect(row.keyHash).toHaveLength(32);
  expect(JSON.stringify(Object.values(row))).not.toContain(token.slice(8));

  expect(await call({ token }, 'GET', CONTAINERS)).toMatchObject(ok);
  const listed = await call(ada, 'GET', KEYS);
  expect(listed.body.items).toEqual([{ ...shown, lastUsedAt: expect.any(String) }]);

  expect(await call(ada, 'DELETE', `${KEYS}/${shown.id}`)).toMatchObject({ status: 204 });
  await becomes({ token }, over);
  expect((await call(ada, 'GET', KEYS)).body.items).toEqual([]);
  expect(await call(ada, 'GET', `${KEYS}/${shown.id}`)).toMatchObject(gone);
  expect(await call(ada, 'DELETE', `${KEYS}/${shown.id}`)).toMatchObject(gone);
});

test('a key does what its scopes say, and nothing else', async () => {
  const key = await make(ada, { scopes: ['containers:read', 'projects:read'] });
  expect(await call(key, 'GET', CONTAINERS)).toMatchObject(ok);
  expect(await call(key, 'GET', `${ORGANIZATION}/projects`)).toMatchObject(ok);
  const detail = 'This needs the permission containers:write, which this API key does not have.';
  const body = { ...forbidden.body, detail };
  expect(await call(key, 'POST', CONTAINERS, { image: 'busybox' })).toMatchObject({
    ...{ status: 403, body },
  });
  expect(await call(key, 'GET', KEYS)).toMatchObject(forbidden);
  const me = await call(key, 'GET', '/v1/me');
  expect(me.body.organizations).toMatchObject([
    { slug: 'ada', role: null, permissions: ['containers:read', 'projects:read'] },
  ]);
});

test('a key of one project is nothing elsewhere, not in the organization either', async () => {
  const key = await make(ada, { role: 'owner', project: 'default' });
  expect(await call(key, 'GET', CONTAINERS)).toMatchObject(ok);
  for (const path of [
    `${ORGANIZATION}/projects/other/containers`,
    ...[ORGANIZATION, `${ORGANIZATION}/projects`, KEYS, `${ORGANIZATION}/members`],
  ]) {
    expect(await call(key, 'GET', path)).toMatchObject(gone);
  }
  expect((await call(key, 'GET', '/v1/organizations')).body.items).toEqual([]);
  const me = await call(key, 'GET', '/v1/me');
  expect(me.body.projects).toMatchObject([{ organization: 'ada', slug: 'default' }]);
});

test('the registry goes by the same scopes and projects', async () => {
  await pushTestImage(api, 'library/app', 'latest');
  const push = async (key: { token: string }, repository: string) => {
    const authorization = `Basic ${btoa(`any:${key.token}`)}`;
    const at = `${api.registryUrl}/v2/ada/${repository}/blobs/uploads/`;
    const { status } = await fetch(at, { method: 'POST', headers: { authorization } });
    return status;
  };
  const pulls = await make(ada, { scopes: ['images:read'] });
  expect(await push(pulls, 'default/app')).toBe(403);
  const pushes = await make(ada, { scopes: ['images:write'], project: 'default' });
  expect(await push(pushes, 'default/app')).toBe(202);
  expect(await push(pushes, 'other/app')).toBe(404);
  await call(ada, 'DELETE', `${KEYS}/${pushes.id}`);
  await vi.waitFor(async () => expect(await push(pushes, 'default/app')).toBe(401), WITHIN);
});

test('a key ends at its time', async () => {
  const expiresAt = new Date(Date.now() + 60_000).toISOString();
  const key = await make(ada, { role: 'viewer', expiresAt });
  expect(await call(key, 'GET', CONTAINERS)).toMatchObject(ok);
  expect((await call(ada, 'GET', `${KEYS}/${key.id}`)).body.expiresAt).toBe(expiresAt);
  await using database = api.openDatabase();
  const data = { expiresAt: new Date(Date.now() - 1) };
  await database.prisma.apiKey.update({ where: { id: key.id }, data });
  await becomes(key, over);
});

describe('a key may do no more than who made it', () => {
  test('when it is made', async () => {
    const { person } = await member('grace', 'developer');
    await make(person, { role: 'developer' });
    await make(person, { scopes: ['containers:write', 'api-keys:write'] });
    for (const wish of [{ role: 'admin' }, { scopes: ['containers:read', 'members:write'] }]) {
      const refusal = await call(person, 'POST', KEYS, { name: 'more', ...wish });
      expect(refusal).toMatchObject(forbidden);
      expect(refusal.body.detail).toMatch(/the role developer does not have/);
    }
    const { items } = (await call(ada, 'GET', KEYS)).body;
    expect(items.filter(({ name }: { name: string }) => name === 'more')).toEqual([]);
  });

  test('when they are something else by then, and when they have left', async () => {
    const { person, at } = await member('alan', 'developer');
    const byRole = await make(person, { role: 'developer' });
    const byScope = await make(person, { scopes: ['containers:read', 'containers:write'] });
    const child = await make(byRole, { role: 'developer' });
    const allAre = (expected: number) =>
      vi.waitFor(async () => {
        for (const key of [byRole, byScope, child]) {
          const { status } = await call(key, 'POST', CONTAINERS, { image: 'none' });
          expect(status).toBe(expected);
        }
      }, WITHIN);
    await allAre(422);
    await call(ada, 'PATCH', at, { role: 'viewer' });
    await allAre(403);
    expect(await call(child, 'GET', CONTAINERS)).toMatchObject(ok);
    await call(ada, 'PATCH', at, { role: 'developer' });
    await allAre(422);
    await call(ada, 'DELETE', at);
    await allAre(401);
    await join(person, await invite(ada, 'alan', 'developer'));
    expect(await call(person, 'GET', CONTAINERS)).toMatchObject(ok);
    await allAre(401);
  });
});

test('a key ends with the one that it was made with, at the latest', async () => {
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const first = await make(ada, { role: 'developer', expiresAt });
  const second = await make(first, { role: 'developer' });
  const third = await make(second, { role: 'viewer' });
  const bystander = await make(ada, { role: 'viewer' });
  expect((await call(ada, 'GET', `${KEYS}/${third.id}`)).body).toMatchObject({
    ...{ createdBy: { email: 'ada@example.test' }, createdWith: second.id, expiresAt },
  });
  const later = { name: 'x', role: 'viewer', expiresAt: new Date(Date.now() + 9e6).toISOString() };
  expect(await call(second, 'POST', KEYS, later)).toMatchObject(refused('expiresAt', 'is after'));
  await call(ada, 'DELETE', `${KEYS}/${first.id}`);
  for (const { token } of [first, second, third]) {
    await becomes({ token }, over);
  }
  expect(await call(bystander, 'GET', CONTAINERS)).toMatchObject(ok);
});

test('one’s own keys one revokes oneself, others’ who may remove them', async () => {
  const { person } = await member('edsger', 'developer');
  const adas = await make(ada, { role: 'developer' });
  const theirs = await make(person, { role: 'developer' });
  const another = await make(person, { role: 'developer' });
  const revoke = (by: Credential, { id }: { id: string }) => call(by, 'DELETE', `${KEYS}/${id}`);
  expect(await revoke(person, adas)).toMatchObject(forbidden);
  expect(await revoke(theirs, adas)).toMatchObject(forbidden);
  expect(await revoke(theirs, another)).toMatchObject(forbidden);
  expect(await revoke(person, another)).toMatchObject({ status: 204 });
  expect(await revoke(theirs, theirs)).toMatchObject({ status: 204 });
  const last = await make(person, { role: 'developer' });
  expect(await revoke(ada, last)).toMatchObject({ status: 204 });
  expect(await call(adas, 'GET', CONTAINERS)).toMatchObject(ok);
});

test('the operator’s key is not revoked by this', async () => {
  const at = '/v1/organizations/local/api-keys';
  const [{ id }] = (await api.call('GET', at)).body.items;
  const conflict = { status: 409, body: { code: 'state-conflict' } };
  expect(await api.call('DELETE', `${at}/${id}`)).toMatchObject(conflict);
  expect(await api.call('GET', '/v1/me')).toMatchObject(ok);
});

describe('what is wrong with a wish is said', () => {
  const past = '2026-01-01T00:00:00Z';
  test.each<[string, object, string, string]>([
    ['neither role nor scopes', {}, 'scopes', 'or a role'],
    ['both', { role: 'viewer', scopes: ['images:read'] }, 'scopes', 'not both'],
    ['no scopes', { scopes: [] }, 'scopes', '>=1'],
    ['a scope that is none', { scopes: ['images:eat'] }, 'scopes.0', '"images:read"'],
    ['a role that is none', { role: 'king' }, 'role', '"owner"'],
    ['no name', { name: ' ', role: 'viewer' }, 'name', '>=1'],
    ['a time that is over', { role: 'viewer', expiresAt: past }, 'expiresAt', 'is over'],
    ['a time that is none', { role: 'viewer', expiresAt: 'soon' }, 'expiresAt', 'ISO datetime'],
    ['a project that is none', { role: 'viewer', project: 'nope' }, 'project', 'no project "nope"'],
  ])('%s', async (_, wish, path, message) => {
    const answer = await call(ada, 'POST', KEYS, { name: 'ci', ...wish });
    expect(answer).toMatchObject(refused(path, message));
  });

  test('a project of somebody else is one that is none', async () => {
    const me = await api.call('GET', '/v1/me');
    const [{ id }] = me.body.projects;
    const answer = await call(ada, 'POST', KEYS, { name: 'ci', role: 'viewer', project: id });
    expect(answer).toMatchObject(refused('project', `there is no project "${id}"`));
  });
});
