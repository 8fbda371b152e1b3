import type { Database } from '@slipway/db';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { contentsOf } from '../testing/contents.fixture.ts';
import { type Estate, furnish } from '../testing/estate.fixture.ts';
import { joinTestNode, type TestNode } from '../testing/node.fixture.ts';
import {
  CLOSED,
  OF_OPERATORS,
  OF_OPERATORS_ANYWHERE,
  OF_ORGANIZATIONS,
  OF_PROJECTS,
  OF_THINGS,
  OPEN,
  type Operation,
  PERMITTED,
  pathOf,
} from '../testing/operations.fixture.ts';
import {
  addMember,
  addPerson,
  type Credential,
  keyOf,
  type Person,
} from '../testing/person.fixture.ts';
import { PERMISSIONS, permissionsOf, ROLES, type Role } from './permissions.ts';

/*
 * Each operation of the OpenAPI document, those that come later too: who may not, gets nothing, learns
 * nothing, and changes nothing. That the document has all that is served, `document.test.ts` sees to.
 */

const CANARY = 'a value for few';

let api: TestApi;
let node: TestNode;
let database: Database & AsyncDisposable;
/** the owner of all that is asked for */
let ada: Person;
let estate: Estate;
/** of another organization, and a key of theirs */
let stranger: Person;
let strangersKey: Credential;
/** of ada’s organization; each permission’s may all but this */
const keys = new Map<Role, Credential>();
const scopedKeys = new Map<string, Credential>();
/** what is not valid, or not any more */
const ended = new Map<string, Credential | { token: null }>([['none', { token: null }]]);

beforeAll(async () => {
  api = await startTestApi();
  node = await joinTestNode(api);
  database = api.openDatabase();
  ada = await addPerson(api, 'ada');
  await ada.call('POST', '/v1/organizations/ada/projects', { slug: 'other' });
  estate = await furnish(api, node, { owner: ada, canary: CANARY });
  stranger = await addPerson(api, 'stranger');
  strangersKey = await keyOf(stranger, { role: 'owner' });
  for (const role of ROLES) keys.set(role, await keyOf(ada, { role }));
  for (const permission of PERMISSIONS) {
    const scopes = PERMISSIONS.filter((one) => one !== permission);
    scopedKeys.set(permission, await keyOf(ada, { scopes }));
  }
  await endCredentials();
  await vi.waitFor(async () => expect(await database.prisma.outbox.count()).toBe(0), 30_000);
});
afterAll(async () => {
  await database?.[Symbol.asyncDispose]();
  await node?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

async function endCredentials(): Promise<void> {
  const at = '/v1/organizations/ada';
  const [expired, revoked, child] = [
    await keyOf(ada, { role: 'admin' }),
    await keyOf(ada, { role: 'admin' }),
    await keyOf(ada, { role: 'admin' }),
  ];
  const made = { body: { name: 'a child', role: 'admin' }, token: child.token };
  const childs = await api.call('POST', `${at}/api-keys`, made);
  const gone = await addMember(api, ada, { name: 'gone', role: 'admin' });
  const goneKey = await gone.call('POST', `${at}/api-keys`, { name: 'gone', role: 'admin' });
  const [signedOut, timedOut] = [await signedIn(), await signedIn()];
  const all = {
    'an expired key': { token: expired.token },
    'a revoked key': { token: revoked.token },
    'a key that was made with a revoked one': { token: childs.body.token },
    'a key of somebody who left': { token: goneKey.body.token },
    'a session that is signed out': signedOut,
    'a session that is over': timedOut,
  };
  for (const [name, credential] of Object.entries(all)) {
    expect([name, (await api.call('GET', '/v1/me', credential)).status]).toEqual([name, 200]);
    ended.set(name, credential);
  }
  const past = { expiresAt: new Date(Date.now() - 1) };
  await database.prisma.apiKey.update({ where: { id: expired.id }, data: past });
  for (const { id } of [revoked, child]) await ada.call('DELETE', `${at}/api-keys/${id}`);
  await gone.call('POST', `${at}/leave`);
  await api.call('POST', '/v1/auth/sign-out', signedOut);
  const sessions = await api.call('GET', '/v1/me/sessions', timedOut);
  const { id } = sessions.body.items.find(({ isCurrent }: { isCurrent: boolean }) => isCurrent);
  await database.prisma.session.update({ where: { id }, data: past });
  for (const [name, credential] of ended) {
    const isEnded = async () =>
      expect([name, (await api.call('GET', '/v1/me', credential)).status]).toEqual([name, 401]);
    await vi.waitFor(isEnded, 30_000);
  }
  ended.set('a key that was never made', { token: revoked.token.replace(/.{9}$/, 'neverMade') });
}

/** ada, once more */
async function signedIn(): Promise<{ token: null; headers: { cookie: string } }> {
  const body = { email: 'ada@example.test', password: 'password of ada' };
  const { headers } = await api.call('POST', '/v1/auth/sign-in', { body, token: null });
  return { token: null, headers: { cookie: headers.getSetCookie()[0]?.split(';')[0] ?? '' } };
}

/** For each test of a block: nothing that is stored is another afterwards. */
function changesNothing(): void {
  beforeEach(async () => {
    const before = await contentsOf(database, api.blobsDir);
    return async () => expect(await contentsOf(database, api.blobsDir)).toEqual(before);
  });
}

/** What is ada’s is answered as what is nobody’s. */
async function expectAbsent({ method, path }: Operation, credential: Credential): Promise<void> {
  const foreign = await api.call(method, pathOf(path, estate), credential);
  expect(foreign).toMatchObject({ status: 404, body: { code: 'not-found' } });
  const nowhere = pathOf(path, { ...estate, organization: 'nowhere' });
  const absent = await api.call(method, nowhere, credential);
  expect(absent.body.detail.replace('nowhere', 'ada')).toBe(foreign.body.detail);
}

test('without a key one gets the document, and how the platform is, and signs in', () => {
  expect(OPEN.map(({ path }) => path)).toEqual([
    ...['/v1/auth/sign-in', '/v1/auth/sign-out', '/v1/auth/sign-up'],
    ...['/v1/health', '/v1/openapi.json'],
  ]);
});

describe('without a credential that is valid it is 401', () => {
  changesNothing();
  test.each(CLOSED)('$name', async ({ method, path }) => {
    for (const [name, credential] of ended) {
      const { status, body } = await api.call(method, pathOf(path, estate), credential);
      expect([name, status, body.code]).toEqual([name, 401, 'unauthenticated']);
    }
  });
});

describe('what is the operator’s is 403 to the owner of an organization', () => {
  changesNothing();
  test.each(OF_OPERATORS)('$name', async ({ method, path }) => {
    for (const there of [pathOf(path, estate), pathOf(path, {}, 'nothing')]) {
      for (const credential of [ada, strangersKey]) {
        const answer = await api.call(method, there, credential);
        expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      }
    }
  });
});

describe('what is the operator’s in an organization is 403 to its owner', () => {
  changesNothing();
  test.each(OF_OPERATORS_ANYWHERE)('$name', async ({ method, path }) => {
    for (const credential of [ada, keys.get('owner')]) {
      const answer = await api.call(method, pathOf(path, estate), credential);
      expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
  });
});

describe('what is of another organization is 404, as if it were not there', () => {
  changesNothing();
  test.each(OF_ORGANIZATIONS)('$name', async (operation) => {
    for (const credential of [strangersKey, stranger]) await expectAbsent(operation, credential);
  });
});

describe('what is not of a key’s project is 404 to it, as if it were not there', () => {
  let bound: Credential;
  beforeAll(async () => {
    bound = await keyOf(ada, { role: 'owner', project: 'other' });
  });
  changesNothing();
  test.each(OF_ORGANIZATIONS)('$name', (operation) => expectAbsent(operation, bound));
});

describe('what is somebody’s own is not there for others', () => {
  const own = CLOSED.filter(({ path }) => path.startsWith('/v1/me/') && path.includes('{'));
  changesNothing();
  test.each(own)('$name', async ({ method, path }) => {
    const answer = await api.call(method, pathOf(path, estate), stranger);
    expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });
});

describe('what a role or a key’s scopes do not permit is 403 to who is of the organization', () => {
  changesNothing();
  test.each(PERMITTED)('$name', async ({ method, path, permission }) => {
    const there = pathOf(path, { organization: 'ada', project: 'default' }, 'nothing');
    for (const [role, key] of keys) {
      const answer = await api.call(method, there, key);
      if (permissionsOf(role).includes(permission)) {
        expect(answer.body.detail ?? '').not.toContain('needs the permission');
      } else {
        const detail = `This needs the permission ${permission}, which the role ${role} does not have.`;
        expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden', detail } });
      }
    }
    const detail = `This needs the permission ${permission}, which this API key does not have.`;
    for (const place of [there, pathOf(path, estate)]) {
      const answer = await api.call(method, place, scopedKeys.get(permission));
      expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden', detail } });
    }
  });
});

describe('a thing of a project is 404 through another one, a stranger’s or one’s own', () => {
  changesNothing();
  test.each(OF_THINGS)('$name', async ({ method, path }) => {
    const strangers = pathOf(path, { ...estate, organization: 'stranger' });
    const own = pathOf(path, { ...estate, project: 'other' });
    for (const [place, credential] of [
      [strangers, stranger],
      [own, ada],
    ] as const) {
      const answer = await api.call(method, place, credential);
      expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } });
    }
  });
});

describe('no name in a path is too strange to be answered', () => {
  const names = [
    '%00',
    '%ff',
    '%2e%2e%2F',
    '%2F',
    "'",
    '"',
    '%',
    'x'.repeat(2_000),
    '%F0%9F%92%A9',
  ];
  changesNothing();
  test.each(OF_ORGANIZATIONS)('$name', async ({ method, path }) => {
    const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    for (const parameter of parameters) {
      for (const name of names) {
        const answer = await api.call(method, pathOf(path, { ...estate, [parameter]: name }), ada);
        expect([name, answer.status]).toEqual([name, expect.toSatisfy((status) => status < 500)]);
        expect(answer.status).toBeGreaterThanOrEqual(400);
      }
    }
  });
});

describe('what shows an environment shows its values to who may see them', () => {
  const gets = OF_PROJECTS.filter(
    ({ method, path }) => method === 'GET' && !path.endsWith('/logs'),
  );
  const shows: string[] = [];

  test.each(gets)('$name', async ({ path }) => {
    const there = `${pathOf(path, estate)}${path.endsWith('/wait') ? '?timeoutMs=1' : ''}`;
    const shown = JSON.stringify((await ada.call('GET', there)).body);
    const hidden = shown.replace(/"env":{[^}]*}/g, (env) => env.replace(/:"[^"]*"/g, ':null'));
    if (shown !== hidden) shows.push(path);
    expect(hidden).not.toContain(CANARY);
    for (const [role, key] of keys) {
      const mayRead = permissionsOf(role).includes('environment:read');
      const { body } = await api.call('GET', there, key);
      expect([role, body]).toEqual([role, JSON.parse(mayRead ? shown : hidden)]);
    }
  });

  test('of containers, services and revisions', () => {
    for (const kind of ['containers', 'services', 'revisions']) {
      expect(shows).toContainEqual(expect.stringMatching(`/${kind}$`));
      expect(shows).toContainEqual(expect.stringMatching(`/${kind}/{\\w+}$`));
    }
  });

  test.each([
    ['containers', 'stop'],
    ['services', 'restart'],
  ])('when it controls %s', async (kind, control) => {
    const thing = estate[kind.slice(0, -1)];
    const at = `/v1/organizations/ada/projects/default/${kind}/${thing}/${control}`;
    const { status, body } = await api.call('POST', at, keys.get('responder'));
    expect(status).toBeLessThan(300);
    expect(body.env ?? body.template.env).toEqual({ CANARY: null });
  });
});
