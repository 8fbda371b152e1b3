import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';

const SIGN_UP = '/v1/auth/sign-up';
const SIGN_IN = '/v1/auth/sign-in';
const SIGN_OUT = '/v1/auth/sign-out';
const ADA = { email: 'Ada@Example.test', password: 'difference engine', name: 'Ada Lovelace' };
const { email, password } = ADA;

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
});

const post = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
  api.call('POST', path, { body, headers, token: null });
const me = (cookie: string) => api.call('GET', '/v1/me', { headers: { cookie }, token: null });
const cookieOf = ({ headers }: { headers: Headers }) =>
  headers.getSetCookie()[0]?.split(';')[0] ?? '';

test('who signs up is signed in, and owns an organization with a project', async () => {
  const made = await post(SIGN_UP, ADA);
  expect(made).toMatchObject({
    status: 201,
    body: {
      user: { email: 'ada@example.test', name: 'Ada Lovelace' },
      isOperator: false,
      organizations: [{ slug: 'ada-lovelace', name: 'Ada Lovelace', role: 'owner' }],
      projects: [{ organization: 'ada-lovelace', slug: 'default' }],
    },
  });
  const [cookie = ''] = made.headers.getSetCookie();
  expect(cookie).toMatch(/^slipway-session=[\w-]{43}; /);
  expect(cookie.split('; ').slice(1).toSorted()).toEqual([
    ...['HttpOnly', `Max-Age=${30 * 86_400}`, 'Path=/', 'SameSite=Lax'],
  ]);
  expect(await me(cookieOf(made))).toMatchObject({ status: 200, body: made.body });
  const project = '/v1/organizations/ada-lovelace/projects/default';
  const headers = { cookie: cookieOf(made) };
  expect(await api.call('GET', project, { headers, token: null })).toMatchObject({ status: 200 });
});

test('an address has one account, whatever its case; a name may have many', async () => {
  expect(await post(SIGN_UP, { ...ADA, email: ' ADA@example.test' })).toMatchObject({
    status: 409,
    body: { code: 'already-exists' },
  });
  const slugOf = async (number: number, name: string): Promise<string> => {
    const answer = await post(SIGN_UP, { ...ADA, email: `${number}@example.test`, name });
    return answer.body.organizations[0].slug;
  };
  expect(await slugOf(1, 'Ada Lovelace')).toMatch(/^ada-lovelace-[0-9a-f]{6}$/);
  expect(await slugOf(2, ' Zoë  &  Žofie 2 ')).toBe('zoe-zofie-2');
  expect(await slugOf(3, '阿達')).toBe('team');
  expect(await slugOf(4, 'API')).toMatch(/^team-[0-9a-f]{6}$/);
});

test('what cannot be an account is refused, each field by name, and no password is told', async () => {
  const refused = await post(SIGN_UP, { email: 'ada', password: 'short', name: ' ', admin: true });
  expect(refused).toMatchObject({ status: 422, body: { code: 'invalid-request' } });
  const paths = refused.body.errors.map((error: { path: string }) => error.path);
  expect(paths.toSorted()).toEqual(['body', 'email', 'name', 'password']);
  expect(JSON.stringify(refused.body)).not.toContain('short');
});

test('signing in takes the address and the password, and does not tell which of them is wrong', async () => {
  const wrong = await post(SIGN_IN, { email, password: `${password}!` });
  expect(wrong).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  expect(wrong.headers.getSetCookie()).toEqual([]);
  const unknown = await post(SIGN_IN, { email: 'nobody@example.test', password });
  expect({ ...unknown.body, requestId: '' }).toEqual({ ...wrong.body, requestId: '' });
  const right = await post(SIGN_IN, { email, password });
  expect(right).toMatchObject({ status: 200, body: { user: { name: 'Ada Lovelace' } } });
  expect(await me(cookieOf(right))).toMatchObject({ status: 200 });
});

test('a browser that signs in again has another session, and the first one is over', async () => {
  const first = cookieOf(await post(SIGN_IN, { email, password }));
  const elsewhere = cookieOf(await post(SIGN_IN, { email, password }));
  const second = cookieOf(await post(SIGN_IN, { email, password }, { cookie: first }));
  expect(second).not.toBe(first);
  expect(await me(first)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  expect(await me(second)).toMatchObject({ status: 200 });
  expect(await me(elsewhere)).toMatchObject({ status: 200 });
});

test('who signs out is signed out, in that browser; twice is as good as once', async () => {
  const [here, elsewhere] = [
    cookieOf(await post(SIGN_IN, { email, password })),
    cookieOf(await post(SIGN_IN, { email, password })),
  ];
  for (const _ of ['once', 'twice']) {
    const out = await post(SIGN_OUT, undefined, { cookie: here });
    expect(out.status).toBe(204);
    expect(out.headers.getSetCookie()[0]).toMatch(/^slipway-session=; Max-Age=0; /);
  }
  expect(await me(here)).toMatchObject({ status: 401 });
  expect(await me(elsewhere)).toMatchObject({ status: 200 });
});

test('a session ends after its time, and is gone once its owner signs in again', async () => {
  const cookie = cookieOf(await post(SIGN_IN, { email, password }));
  await using database = api.openDatabase();
  const { session } = database.prisma;
  await session.updateMany({ data: { expiresAt: new Date(Date.now() - 1000) } });
  expect(await me(cookie)).toMatchObject({ status: 401 });
  await post(SIGN_IN, { email, password });
  expect(await session.count({ where: { user: { email: 'ada@example.test' } } })).toBe(1);
});

test('who changes a password has a new session, and all others of theirs are over', async () => {
  const account = { email: 'grace@example.test', password: 'first compiler', name: 'Grace' };
  const here = cookieOf(await post(SIGN_UP, account));
  const elsewhere = cookieOf(await post(SIGN_IN, { ...account, name: undefined }));
  const change = (cookie: string, body: object) =>
    api.call('PUT', '/v1/me/password', { body, headers: { cookie }, token: null });
  const wrong = await change(here, { current: 'third compiler', password: 'second compiler' });
  expect(wrong).toMatchObject({ status: 422, body: { errors: [{ path: 'current' }] } });
  expect(await me(elsewhere)).toMatchObject({ status: 200 });
  const changed = await change(here, { current: account.password, password: 'second compiler' });
  expect(changed).toMatchObject({ status: 204 });
  expect(await me(here)).toMatchObject({ status: 401 });
  expect(await me(elsewhere)).toMatchObject({ status: 401 });
  expect(await me(cookieOf(changed))).toMatchObject({ status: 200 });
  const again = (secret: string) => post(SIGN_IN, { email: account.email, password: secret });
  expect(await again(account.password)).toMatchObject({ status: 401 });
  expect(await again('second compiler')).toMatchObject({ status: 200 });
});

test('a sign-in with the old password beside the change of it leaves no session', async () => {
  const account = { email: 'edsger@example.test', password: 'shortest path', name: 'Edsger' };
  const { password: old } = account;
  const here = cookieOf(await post(SIGN_UP, account));
  let isChanged = false;
  const begun: string[] = [];
  const signInAgainAndAgain = async (): Promise<void> => {
    while (!isChanged) {
      const answer = await post(SIGN_IN, { email: account.email, password: old });
      expect([200, 401]).toContain(answer.status);
      if (answer.status === 200) begun.push(cookieOf(answer));
    }
  };
  const lanes = [signInAgainAndAgain(), signInAgainAndAgain(), signInAgainAndAgain()];
  const body = { current: old, password: 'goto harmful' };
  const changing = api.call('PUT', '/v1/me/password', {
    body,
    headers: { cookie: here },
    token: null,
  });
  const changed = await changing.finally(() => {
    isChanged = true;
  });
  await Promise.all(lanes);
  expect(changed).toMatchObject({ status: 204 });
  for (const cookie of begun) expect(await me(cookie)).toMatchObject({ status: 401 });
  expect(await me(cookieOf(changed))).toMatchObject({ status: 200 });
});

test('one sees one’s sessions and may end each, and nobody else’s', async () => {
  const account = { email: 'alan@example.test', password: 'bombe bombe', name: 'Alan' };
  const agent = { 'user-agent': 'Enigma/1.0' };
  const here = cookieOf(await post(SIGN_UP, account, agent));
  const elsewhere = cookieOf(await post(SIGN_IN, { ...account, name: undefined }));
  const as = (cookie: string, method: string, path = '') =>
    api.call(method, `/v1/me/sessions${path}`, { headers: { cookie }, token: null });
  const { body } = await as(here, 'GET');
  expect(body.items).toMatchObject([
    { isCurrent: false },
    { isCurrent: true, userAgent: 'Enigma/1.0', ip: '127.0.0.1' },
  ]);
  const [{ id: other }, { id: own }] = body.items;
  const stranger = cookieOf(await post(SIGN_IN, { email, password }));
  expect(await as(stranger, 'DELETE', `/${other}`)).toMatchObject({ status: 404 });
  expect(await me(elsewhere)).toMatchObject({ status: 200 });
  expect(await as(here, 'DELETE', `/${other}`)).toMatchObject({ status: 204 });
  expect(await me(elsewhere)).toMatchObject({ status: 401 });
  expect(await as(here, 'DELETE', `/${other}`)).toMatchObject({ status: 404 });
  const last = await as(here, 'DELETE', `/${own}`);
  expect(last.status).toBe(204);
  expect(cookieOf(last)).toBe('slipway-session=');
  expect(await me(here)).toMatchObject({ status: 401 });
});

test('a key is nobody’s: it has neither sessions nor a password', async () => {
  const forbidden = { status: 403, body: { code: 'forbidden' } };
  expect(await api.call('GET', '/v1/me/sessions')).toMatchObject(forbidden);
  const body = { current: password, password: 'another one' };
  expect(await api.call('PUT', '/v1/me/password', { body })).toMatchObject(forbidden);
});

test('after ten wrong passwords there is a pause, and it says how long', async () => {
  const guess = () => post(SIGN_IN, { email: 'guessed@example.test', password: 'open sesame' });
  for (let time = 0; time < 10; time++) expect(await guess()).toMatchObject({ status: 401 });
  const refused = await guess();
  expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-requests' } });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(600);
  expect(await post(SIGN_IN, { email, password })).toMatchObject({ status: 200 });
});

test('with TLS the cookie is one that no other host can set', async () => {
  await using secure = await startTestApi({ API_URL: 'https://127.0.0.1' });
  const body = { email, password, name: 'Ada' };
  const answer = await secure.call('POST', SIGN_UP, { body, token: null });
  const [cookie = ''] = answer.headers.getSetCookie();
  expect(cookie).toMatch(/^__Host-slipway-session=/);
  expect(cookie).toMatch(/; Secure(;|$)/);
  const me = (sent: string) =>
    secure.call('GET', '/v1/me', { headers: { cookie: sent }, token: null });
  expect(await me(cookieOf(answer))).toMatchObject({ status: 200 });
  expect(await me(cookieOf(answer).replace('__Host-', ''))).toMatchObject({ status: 401 });
});

test('a session is of the API’s own host name, whatever else leads to it', async () => {
  const elsewhere = { 'x-forwarded-host': 'shop.localhost' };
  const refusal = { status: 403, body: { detail: expect.stringContaining('sign in at http://') } };
  expect(await post(SIGN_IN, { email, password }, elsewhere)).toMatchObject(refusal);
  const stray = { email: 'stray@example.test', password, name: 'Stray' };
  expect(await post(SIGN_UP, stray, elsewhere)).toMatchObject(refusal);
  expect(await post(SIGN_IN, { email: stray.email, password })).toMatchObject({ status: 401 });
  const cookie = cookieOf(await post(SIGN_IN, { email, password }));
  const me = (headers: Record<string, string>) =>
    api.call('GET', '/v1/me', { headers: { cookie, ...headers }, token: null });
  expect(await me(elsewhere)).toMatchObject({ status: 401 });
  expect(await me({})).toMatchObject({ status: 200 });
  expect(await api.call('GET', '/v1/me', { headers: elsewhere })).toMatchObject({ status: 200 });
});

describe('what a page of another origin asks for is not done in anybody’s name', () => {
  const foreign: [string, Record<string, string>][] = [
    ['another host', { origin: 'http://evil.test' }],
    ['another port', { origin: 'http://127.0.0.1:1' }],
    ['a service of a tenant', { origin: 'http://shop.localhost:7780' }],
    ['nobody’s origin', { origin: 'null' }],
    ['another site, by the browser’s word', { 'sec-fetch-site': 'cross-site' }],
    ['the same site, by the browser’s word', { 'sec-fetch-site': 'same-site' }],
  ];

  test.each(foreign)('%s', async (_, headers) => {
    const cookie = cookieOf(await post(SIGN_IN, { email, password }));
    const projects = '/v1/organizations/ada-lovelace/projects';
    const refusal = { status: 403, body: { code: 'forbidden' } };
    const body = { slug: 'forged' };
    expect(await post(projects, body, { cookie, ...headers })).toMatchObject(refusal);
    expect(await post(SIGN_OUT, undefined, { cookie, ...headers })).toMatchObject(refusal);
    expect(await post(SIGN_IN, { email, password }, headers)).toMatchObject(refusal);
    const found = await api.call('GET', `${projects}/forged`, { headers: { cookie }, token: null });
    expect(found).toMatchObject({ status: 404 });
  });

  test('but a page of its own may, and so may whoever has a key', async () => {
    const origin = new URL(api.url).origin;
    const headers = { origin, 'sec-fetch-site': 'same-origin' };
    const signedIn = await post(SIGN_IN, { email, password }, headers);
    expect(signedIn).toMatchObject({ status: 200 });
    const cookie = cookieOf(signedIn);
    const projects = '/v1/organizations/ada-lovelace/projects';
    expect(await post(projects, { slug: 'own' }, { cookie, ...headers })).toMatchObject({
      status: 201,
    });
    const keyed = await api.call('POST', '/v1/organizations/local/projects', {
      ...{ body: { slug: 'by-key' }, headers: { origin: 'http://evil.test' } },
    });
    expect(keyed).toMatchObject({ status: 201 });
  });
});

test('a password is kept as what it cannot be read from, with salt', async () => {
  await using database = api.openDatabase();
  const users = await database.prisma.user.findMany();
  const hashes = users.map(({ passwordHash }) => passwordHash);
  for (const hash of hashes) expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(new Set(hashes).size).toBe(hashes.length); // most have the same password
});

test('where sign-up is closed nobody gets in', async () => {
  await using closed = await startTestApi({ SIGN_UP: 'closed' });
  const refused = await closed.call('POST', SIGN_UP, { body: ADA, token: null });
  expect(refused).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  await using database = closed.openDatabase();
  expect(await database.prisma.user.count()).toBe(0);
});
