import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { addMember, addPerson, invite, type Person } from '../testing/person.fixture.ts';

const SIGN_UP = '/v1/auth/sign-up';
const ACCEPT = '/v1/invitations/accept';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
});

const person = (name: string) => addPerson(api, name);
const member = (owner: Person, name: string, role: string) => addMember(api, owner, { name, role });

const forbidden = { status: 403, body: { code: 'forbidden' } };
const gone = { status: 404, body: { code: 'not-found' } };

test('an organization is made by somebody, listed, found and renamed', async () => {
  const ada = await person('ada');
  const made = await ada.call('POST', '/v1/organizations', { slug: 'engines' });
  const engines = { slug: 'engines', name: 'engines', role: 'owner' };
  expect(made).toMatchObject({ status: 201, body: engines });
  const renamed = await ada.call('PATCH', '/v1/organizations/engines', { name: 'Engines & Co.' });
  expect(renamed).toMatchObject({ status: 200, body: { ...engines, name: 'Engines & Co.' } });
  for (const reference of ['engines', made.body.id]) {
    const found = await ada.call('GET', `/v1/organizations/${reference}`);
    expect(found).toMatchObject({ status: 200, body: renamed.body });
  }
  const first = await ada.call('GET', '/v1/organizations?limit=1');
  expect(first.body.items).toMatchObject([{ slug: 'ada', role: 'owner' }]);
  const next = await ada.call('GET', `/v1/organizations?limit=1&cursor=${first.body.nextCursor}`);
  expect(next.body).toEqual({ items: [renamed.body], nextCursor: null });
  const project = await ada.call('POST', '/v1/organizations/engines/projects', { slug: 'web' });
  expect(project.status).toBe(201);
});

test('a slug that is taken or reserved is refused, and a key makes no organizations', async () => {
  const bob = await person('bob');
  const make = (slug: string) => bob.call('POST', '/v1/organizations', { slug });
  expect(await make('local')).toMatchObject({ status: 409, body: { code: 'already-exists' } });
  expect(await make('library')).toMatchObject({
    status: 422,
    body: { errors: [{ path: 'slug' }] },
  });
  const body = { slug: 'of-a-key' };
  expect(await api.call('POST', '/v1/organizations', { body })).toMatchObject(forbidden);
});

test('who is invited becomes a member, with that role, and the invitation is over', async () => {
  const [owner, guest] = [await person('carl'), await person('dora')];
  const token = await invite(owner, 'dora', 'developer');
  const open = await owner.call('GET', '/v1/organizations/carl/invitations');
  const expected = { email: 'dora@example.test', role: 'developer', invitedBy: { name: 'carl' } };
  expect(open.body.items).toMatchObject([expected]);
  expect(JSON.stringify(open.body)).not.toContain(token);
  expect(await guest.call('GET', '/v1/organizations/carl')).toMatchObject(gone);
  const accepted = await guest.call('POST', ACCEPT, { token });
  expect(accepted).toMatchObject({ status: 200, body: { slug: 'carl', role: 'developer' } });
  const members = await guest.call('GET', '/v1/organizations/carl/members');
  expect(members.body.items).toMatchObject([
    { user: { email: 'carl@example.test', name: 'carl' }, role: 'owner' },
    { user: { email: 'dora@example.test' }, role: 'developer' },
  ]);
  expect(await guest.call('POST', ACCEPT, { token })).toMatchObject(gone);
  const none = await owner.call('GET', '/v1/organizations/carl/invitations');
  expect(none.body.items).toEqual([]);
  const again = { email: 'Dora@example.test', role: 'viewer' };
  const twice = await owner.call('POST', '/v1/organizations/carl/invitations', again);
  expect(twice).toMatchObject({ status: 409, body: { code: 'already-exists' } });
});

test('an invitation is for one address, until it is withdrawn, replaced or too old', async () => {
  const [owner, guest, other] = [await person('emil'), await person('fay'), await person('gus')];
  const accept = (token: string, by = guest) => by.call('POST', ACCEPT, { token });
  const first = await invite(owner, 'fay', 'viewer');
  expect(await accept(first, other)).toMatchObject(forbidden);
  const second = await invite(owner, 'fay', 'developer');
  expect(await accept(first)).toMatchObject(gone);
  const at = '/v1/organizations/emil/invitations';
  const [{ id }] = (await owner.call('GET', at)).body.items;
  expect((await owner.call('DELETE', `${at}/${id}`)).status).toBe(204);
  expect(await owner.call('DELETE', `${at}/${id}`)).toMatchObject(gone);
  expect(await accept(second)).toMatchObject(gone);
  const third = await invite(owner, 'fay', 'viewer');
  await using database = api.openDatabase();
  const where = { email: 'fay@example.test' };
  const data = { expiresAt: new Date(Date.now() - 1000) };
  await database.prisma.invitation.updateMany({ where, data });
  expect((await owner.call('GET', at)).body.items).toEqual([]);
  expect(await accept(third)).toMatchObject(gone);
  expect((await accept(await invite(owner, 'fay', 'viewer'))).status).toBe(200);
});

test('of several who accept one invitation at once it is one', async () => {
  const [owner, guest] = [await person('hugo'), await person('ida')];
  const token = await invite(owner, 'ida', 'admin');
  const all = Array.from({ length: 5 }, () => guest.call('POST', ACCEPT, { token }));
  const statuses = (await Promise.all(all)).map(({ status }) => status);
  expect(statuses.toSorted()).toEqual([200, 404, 404, 404, 404]);
});

test('admins see to members, and owners to owners', async () => {
  const owner = await person('jane');
  const admin = await member(owner, 'karl', 'admin');
  await member(owner, 'lena', 'viewer');
  const at = '/v1/organizations/jane/members';
  const change = (by: Person, who: string, role: string) =>
    by.call('PATCH', `${at}/${who}@example.test`, { role });
  expect(await change(admin, 'lena', 'developer')).toMatchObject({
    ...{ status: 200, body: { user: { name: 'lena' }, role: 'developer' } },
  });
  const ownersOnly = {
    status: 403,
    body: { detail: 'This needs the permission owners:write, which the role admin does not have.' },
  };
  expect(await change(admin, 'lena', 'owner')).toMatchObject(ownersOnly);
  expect(await change(admin, 'jane', 'viewer')).toMatchObject(ownersOnly);
  expect(await admin.call('DELETE', `${at}/jane@example.test`)).toMatchObject(ownersOnly);
  const invited = { email: 'mona@example.test', role: 'owner' };
  const invitations = '/v1/organizations/jane/invitations';
  expect(await admin.call('POST', invitations, invited)).toMatchObject(ownersOnly);
  expect(await change(owner, 'Lena', 'owner')).toMatchObject({ status: 200 });
  expect(await change(owner, 'lena', 'emperor')).toMatchObject({
    ...{ status: 422, body: { errors: [{ path: 'role' }] } },
  });
  expect(await change(owner, 'nobody', 'viewer')).toMatchObject(gone);
  expect((await admin.call('DELETE', `${at}/karl@example.test`)).status).toBe(204);
  expect(await admin.call('GET', at)).toMatchObject(gone);
});

test('who is removed, or gets another role, feels it at once, and so do those whom they invited', async () => {
  const owner = await person('nina');
  const admin = await member(owner, 'otto', 'admin');
  const guest = await person('paul');
  const at = '/v1/organizations/nina';
  const before = await invite(admin, 'paul', 'admin', 'nina');
  const demoted = await owner.call('PATCH', `${at}/members/otto@example.test`, { role: 'viewer' });
  expect(demoted.status).toBe(200);
  expect(await guest.call('POST', ACCEPT, { token: before })).toMatchObject(gone);
  expect(await admin.call('POST', `${at}/projects`, { slug: 'web' })).toMatchObject(forbidden);
  expect((await owner.call('DELETE', `${at}/members/otto@example.test`)).status).toBe(204);
  expect(await admin.call('GET', at)).toMatchObject(gone);
  const { organizations } = (await admin.call('GET', '/v1/me')).body;
  expect(organizations).toMatchObject([{ slug: 'otto' }]);
});

test('everybody may leave but the last owner, who can be nothing else either', async () => {
  const owner = await person('rosa');
  const second = await member(owner, 'sven', 'viewer');
  const at = '/v1/organizations/rosa';
  const last = { status: 409, body: { code: 'state-conflict' } };
  expect(await owner.call('POST', `${at}/leave`)).toMatchObject(last);
  const self = `${at}/members/rosa@example.test`;
  expect(await owner.call('DELETE', self)).toMatchObject(last);
  expect(await owner.call('PATCH', self, { role: 'admin' })).toMatchObject(last);
  expect((await owner.call('PATCH', self, { role: 'owner' })).status).toBe(200);
  expect((await second.call('POST', `${at}/leave`)).status).toBe(204);
  expect(await second.call('POST', `${at}/leave`)).toMatchObject(gone);
  expect(await api.call('POST', '/v1/organizations/local/leave')).toMatchObject(forbidden);
});

test('two owners who leave at once, or remove each other, leave one', async () => {
  for (const [one, two] of [['tara', 'udo'] as const, ['vera', 'will'] as const]) {
    const owner = await person(one);
    const other = await member(owner, two, 'owner');
    const at = `/v1/organizations/${one}`;
    const both =
      one === 'tara'
        ? [owner.call('POST', `${at}/leave`), other.call('POST', `${at}/leave`)]
        : [
            owner.call('DELETE', `${at}/members/${two}@example.test`),
            other.call('DELETE', `${at}/members/${one}@example.test`),
          ];
    const statuses = (await Promise.all(both)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 204)).toHaveLength(1);
    await using database = api.openDatabase();
    const where = { role: 'owner', organization: { slug: one } };
    expect(await database.prisma.membership.count({ where })).toBe(1);
  }
});

test('who signs up with an invitation is of its organization, and of their own', async () => {
  const owner = await person('xara');
  const token = await invite(owner, 'yuri', 'developer');
  const signUp = (email: string, invitation: string) =>
    api.call('POST', SIGN_UP, {
      ...{ body: { email, password: 'a long password', name: 'Yuri', invitation }, token: null },
    });
  const refused = { status: 422, body: { errors: [{ path: 'invitation' }] } };
  expect(await signUp('yuri@example.test', 'guessed')).toMatchObject(refused);
  expect(await signUp('other@example.test', token)).toMatchObject(refused);
  const signed = await signUp('Yuri@example.test', token);
  expect(signed).toMatchObject({
    status: 201,
    body: {
      organizations: [
        { slug: 'xara', role: 'developer' },
        { slug: 'yuri', role: 'owner' },
      ],
    },
  });
  expect(await signUp('yuri@example.test', token)).toMatchObject(refused);
});

test('where one is invited to sign up, nobody else does', async () => {
  await using closed = await startTestApi({ SIGN_UP: 'invite' });
  const signUp = (invitation?: string) =>
    closed.call('POST', SIGN_UP, {
      body: { email: 'zoe@example.test', password: 'a long password', name: 'Zoe', invitation },
      token: null,
    });
  expect(await signUp()).toMatchObject(forbidden);
  const invited = await closed.call('POST', '/v1/organizations/local/invitations', {
    body: { email: 'zoe@example.test', role: 'owner' },
  });
  expect(invited).toMatchObject({ status: 201, body: { invitedBy: null } });
  expect(await signUp(invited.body.token)).toMatchObject({ status: 201 });
});
