import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { declaredRoutes } from '../http/route.ts';
import type { Answer } from '../testing/api.fixture.ts';
import { TAR } from '../testing/build.fixture.ts';
import { OF_ORGANIZATIONS, pathOf } from '../testing/operations.fixture.ts';
import { addPerson, invite, join, keyOf, type Person } from '../testing/person.fixture.ts';
import { type Body, exited, P, ServiceStage } from '../testing/service.fixture.ts';

const CHANGES = OF_ORGANIZATIONS.filter(({ method }) => method !== 'GET');

let stage: ServiceStage;
let ada: Person;
beforeAll(async () => {
  stage = await ServiceStage.set();
  ada = await addPerson(stage.api, 'ada');
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const call = (method: string, path: string, body?: unknown) =>
  stage.api.call(method, path, body === undefined ? {} : { body });

/** @param by null: the operator, who is of the organization `local` */
async function recordsOf(by: Person | null, query = ''): Promise<Body[]> {
  const at = `/v1/organizations/${by?.name ?? 'local'}/audit${query}`;
  const { status, body } = await (by ?? { call }).call('GET', at);
  expect(status).toBe(200);
  return body.items;
}

async function count(by: Person | null): Promise<number> {
  return (await recordsOf(by, '?limit=1000')).length;
}

describe('what a call has changed is recorded once, with who called for it', () => {
  const recorded = new Set<string>();

  /** @returns what the call answered */
  async function expectRecord(
    act: () => Promise<Answer>,
    { by = null, ...record }: { operation: string; by?: Person | null; [field: string]: unknown },
  ): Promise<Body> {
    const before = await count(by);
    const { status, body } = await act();
    expect([record.operation, status, body]).toEqual([record.operation, expect.anything(), body]);
    expect(status).toBeLessThan(300);
    expect(await count(by)).toBe(before + 1);
    expect((await recordsOf(by, '?limit=1'))[0]).toMatchObject({
      ...{ outcome: 'succeeded', reason: null, ...record },
      actor:
        by === null ? { type: 'api-key', name: 'operator' } : { name: `${by.name}@example.test` },
    });
    recorded.add(record.operation);
    return body;
  }

  test('a container', async () => {
    const { body: project } = await call('GET', P);
    const target = { type: 'container', id: expect.stringMatching(/^ctr_/), name: 'box' };
    const of = (operation: string) => ({ operation, target, project: project.id });
    const at = `${P}/containers/box`;
    const { engineId } = await expectRecord(
      () => call('POST', `${P}/containers`, { image: 'app:v1', name: 'box', env: { A: 'hidden' } }),
      { ...of('createContainer'), details: { image: 'app:v1', imageDigest: stage.digest } },
    );
    await stage.begin({ engineId });
    await expectRecord(() => call('POST', `${at}/restart`), of('restartContainer'));
    await stage.begin({ engineId }, 2);
    await expectRecord(() => call('POST', `${at}/stop`), of('stopContainer'));
    await stage.report(engineId, exited(2));
    await expectRecord(() => call('POST', `${at}/start`), of('startContainer'));
    await stage.begin({ engineId }, 3);
    await expectRecord(() => call('POST', `${at}/kill`), of('killContainer'));
    await expectRecord(() => call('DELETE', `${at}?force=true`), of('removeContainer'));
  });

  test('a service', async () => {
    const target = { type: 'service', id: expect.stringMatching(/^svc_/), name: 'web' };
    const at = `${P}/services/web`;
    const template = { image: 'app:v1' };
    const made = await expectRecord(
      () => call('POST', `${P}/services`, { name: 'web', template }),
      { operation: 'createService', target },
    );
    await stage.served(made);
    const changed = await expectRecord(() => stage.patch(made, { env: { A: 'hidden' } }), {
      ...{ operation: 'changeService', target },
      details: { deploy: expect.any(String), revision: expect.any(String) },
    });
    await stage.served(changed);
    await expectRecord(() => call('POST', `${at}/rollback`, {}), {
      ...{ operation: 'rollBackService', target },
    });
    await stage.served(await stage.get('services/web'));
    await expectRecord(() => call('POST', `${at}/restart`), {
      operation: 'restartService',
      target,
    });
    await expectRecord(() => call('DELETE', at), { operation: 'deleteService', target });
  });

  test('quotas', async () => {
    const { body: project } = await call('GET', P);
    await expectRecord(() => call('PATCH', `${P}/quotas`, { containers: 500, cpus: null }), {
      ...{ operation: 'changeProjectQuotas', project: project.id },
      target: { type: 'project', id: project.id, name: 'default' },
      details: { containers: '500', cpus: 'null' },
    });
    await expectRecord(() => call('PATCH', '/v1/organizations/local/quotas', { cpus: 500 }), {
      ...{ operation: 'changeOrganizationQuotas', project: null },
      target: { type: 'organization', id: expect.any(String), name: 'local' },
      details: { cpus: '500' },
    });
  });

  test('a build', async () => {
    const sent = () => stage.api.call('POST', `${P}/contexts`, { body: 'files', headers: TAR });
    const { id: context } = await expectRecord(sent, {
      ...{ operation: 'createContext', target: { type: 'context', id: expect.any(String) } },
    });
    const target = { type: 'build', id: expect.stringMatching(/^bld_/), name: 'web:latest' };
    const { id } = await expectRecord(
      () => call('POST', `${P}/builds`, { image: 'web', context, secrets: { A: 'hidden' } }),
      { operation: 'createBuild', target, details: { context } },
    );
    const cancel = () => call('POST', `${P}/builds/${id}/cancel`);
    await expectRecord(cancel, { operation: 'cancelBuild', target });
    await stage.api.call('POST', `${P}/builds?image=web`, { body: 'files', headers: TAR });
    const inOneStep = await recordsOf(null, '?limit=2&operation=createBuild');
    expect(inOneStep.map(({ target }) => target.type)).toEqual(['build', 'context']);
  });

  test('an organization', async () => {
    const at = '/v1/organizations/ada';
    const by = ada;
    const organization = { type: 'organization', name: 'ada' };
    await expectRecord(() => ada.call('PATCH', at, { name: 'Ada' }), {
      ...{ operation: 'changeOrganization', by, target: organization, details: { name: 'Ada' } },
    });
    await expectRecord(() => ada.call('POST', `${at}/projects`, { slug: 'site' }), {
      ...{ operation: 'createProject', by, target: { type: 'project', name: 'site' } },
    });
    const wish = { name: 'ci', role: 'viewer', project: 'site' };
    const { id: key } = await expectRecord(() => ada.call('POST', `${at}/api-keys`, wish), {
      ...{ operation: 'createApiKey', by, target: { type: 'key', name: 'ci' } },
      details: { role: 'viewer', project: 'site' },
    });
    await expectRecord(() => ada.call('DELETE', `${at}/api-keys/${key}`), {
      ...{ operation: 'revokeApiKey', by, target: { type: 'key', id: key, name: 'ci' } },
    });
    const email = 'bob@example.test';
    const target = { type: 'invitation', id: expect.any(String), name: email };
    const invited = () => ada.call('POST', `${at}/invitations`, { email, role: 'viewer' });
    const { id: invitation } = await expectRecord(invited, {
      ...{ operation: 'createInvitation', by, target, details: { role: 'viewer' } },
    });
    await expectRecord(() => ada.call('DELETE', `${at}/invitations/${invitation}`), {
      ...{ operation: 'withdrawInvitation', by, target },
    });
  });

  test('who is of an organization, and what they make', async () => {
    const bob = await addPerson(stage.api, 'bob');
    const token = await invite(ada, 'bob', 'viewer');
    await join(bob, token);
    const [joined] = await recordsOf(ada, '?limit=1');
    expect(joined).toMatchObject({
      ...{
        operation: 'acceptInvitation',
        target: { type: 'invitation', name: 'bob@example.test' },
      },
      ...{ actor: { type: 'user', name: 'bob@example.test' }, details: { role: 'viewer' } },
    });
    recorded.add('acceptInvitation');
    const at = '/v1/organizations/ada/members/bob@example.test';
    const [by, target] = [ada, { type: 'user', name: 'bob@example.test' }];
    await expectRecord(() => ada.call('PATCH', at, { role: 'admin' }), {
      ...{ operation: 'changeMember', by, target, details: { role: 'admin', before: 'viewer' } },
    });
    await bob.call('POST', '/v1/organizations/ada/leave');
    const [left] = await recordsOf(ada, '?limit=1');
    const expected = { operation: 'leaveOrganization', target, details: { before: 'admin' } };
    expect(left).toMatchObject({ ...expected, actor: { name: 'bob@example.test' } });
    recorded.add('leaveOrganization');
    await join(bob, await invite(ada, 'bob', 'viewer'));
    await expectRecord(() => ada.call('DELETE', at), { operation: 'removeMember', by, target });
    await bob.call('POST', '/v1/organizations', { slug: 'bobs' });
    const made = await bob.call('GET', '/v1/organizations/bobs/audit');
    const organization = { type: 'organization', name: 'bobs' };
    expect(made.body.items).toMatchObject([
      { operation: 'createOrganization', target: organization },
    ]);
    recorded.add('createOrganization');
  });

  test('an account, wherever its person is', async () => {
    const account = { email: 'eve@example.test', password: 'a long enough password' };
    const invitation = await invite(ada, 'eve', 'viewer');
    const invited = { ...account, name: 'eve', invitation };
    let cookie = '';
    const act = async (operation: string, method: string, path: string, body?: unknown) => {
      const by = { token: null, headers: { cookie } };
      const answer = await stage.api.call(method, path, body === undefined ? by : { ...by, body });
      expect(answer.status).toBeLessThan(300);
      cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
      const [record] = await recordsOf(ada, '?limit=1');
      expect(record).toMatchObject({
        operation,
        outcome: 'succeeded',
        actor: { name: account.email },
      });
      recorded.add(operation);
      return record;
    };
    const signUp = await act('signUp', 'POST', '/v1/auth/sign-up', invited);
    expect(signUp).toMatchObject({ target: { type: 'invitation', name: account.email } });
    const sessions = '/v1/me/sessions';
    const first = signUp.credential;
    cookie = '';
    const signIn = await act('signIn', 'POST', '/v1/auth/sign-in', account);
    expect(signIn.target).toEqual({ type: 'session', id: signIn.credential, name: null });
    const ended = await act('endSession', 'DELETE', `${sessions}/${first}`);
    expect(ended).toMatchObject({ target: { id: first }, credential: signIn.credential });
    const words = { current: account.password, password: 'another long password' };
    const wrong = { ...words, current: 'a wrong one' };
    const asked = { token: null, headers: { cookie }, body: wrong };
    expect(await stage.api.call('PUT', '/v1/me/password', asked)).toMatchObject({ status: 422 });
    const [refused] = await recordsOf(ada, '?limit=1');
    expect(refused).toMatchObject({ operation: 'changePassword', outcome: 'refused' });
    const changed = await act('changePassword', 'PUT', '/v1/me/password', words);
    expect(changed.target).toMatchObject({ type: 'user', name: account.email });
    const { target } = await act('signOut', 'POST', '/v1/auth/sign-out');
    expect(target.type).toBe('session');
    cookie = '';
    await act('signIn', 'POST', '/v1/auth/sign-in', { ...account, password: words.password });
    const own = await stage.api.call('GET', '/v1/organizations/eve/audit', {
      ...{ token: null, headers: { cookie } },
    });
    const inOwn = own.body.items.map(({ operation }: Body) => operation).toReversed();
    const all = ['signIn', 'endSession', 'changePassword', 'changePassword', 'signOut', 'signIn'];
    expect(inOwn).toEqual(['signUp', ...all]);
  });

  test('whatever the OpenAPI document has', () => {
    const all = declaredRoutes().filter(({ method }) => method !== 'GET');
    const names = all.map(({ operationId }) => operationId);
    expect([...recorded].toSorted()).toEqual(names.toSorted());
  });

  test('never what is secret', async () => {
    const all = await recordsOf(null, '?limit=1000');
    expect(JSON.stringify(all)).not.toContain('hidden');
  });
});

describe('a call that comes to nothing is recorded too', () => {
  test.each(CHANGES)('refused: $name', async ({ method, path }) => {
    const { id, token } = await keyOf(ada, { scopes: ['images:read'] });
    const there = pathOf(path, { organization: 'ada', project: 'default' }, 'nothing');
    const headers = { 'user-agent': 'a test/1.0', 'x-request-id': `refused-${id}` };
    expect(await stage.api.call(method, there, { token, headers })).toMatchObject({ status: 403 });
    const [record, ...others] = await recordsOf(ada, `?actor=${id}`);
    expect(others).toEqual([]);
    const [, last] = /.*\{(\w+)\}/.exec(path) ?? [];
    const name = { organization: 'ada', project: 'default' }[last ?? ''] ?? 'nothing';
    expect(record).toMatchObject({
      ...{ outcome: 'refused', reason: 'forbidden', target: { type: last, id: null, name } },
      ...{ actor: { type: 'api-key', id, name: 'a key' }, credential: id },
      ...{ userAgent: 'a test/1.0', requestId: `refused-${id}`, details: {} },
      ip: expect.stringMatching(/127\.0\.0\.1|::1/),
    });
  });

  test('but not in the log of an organization that the caller is not of', async () => {
    const stranger = await addPerson(stage.api, 'stranger');
    const before = await count(ada);
    for (const { method, path } of CHANGES) {
      const there = pathOf(path, { organization: 'ada', project: 'default' }, 'nothing');
      expect((await stranger.call(method, there)).status).toBe(404);
    }
    expect(await count(ada)).toBe(before);
  });

  test('with the code of the problem, and only so', async () => {
    const project = { slug: 'twice' };
    await ada.call('POST', '/v1/organizations/ada/projects', project);
    await ada.call('POST', '/v1/organizations/ada/projects', project);
    await ada.call('POST', '/v1/organizations/ada/projects', { slug: 'No!' });
    const records = await recordsOf(ada, '?operation=createProject&limit=3');
    const ended = records.map(({ outcome, reason }) => [outcome, reason]);
    expect(ended).toEqual([
      ['refused', 'invalid-request'],
      ['refused', 'already-exists'],
      ['succeeded', null],
    ]);
  });

  test('when it was so already', async () => {
    const { id } = await stage.create('calm');
    await stage.patch({ id }, {});
    const [record] = await recordsOf(null, '?limit=1');
    const target = { type: 'service', id: null, name: id };
    expect(record).toMatchObject({ operation: 'changeService', outcome: 'unchanged', target });
  });

  test('when the platform cannot: its node is not there', async () => {
    const { body } = await call('POST', `${P}/containers`, { image: 'app:v1', name: 'lost' });
    await stage.begin(body);
    const killed = await call('POST', `${P}/containers/lost/kill`, { signal: 'SIGHUP' });
    expect(killed).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    const [record] = await recordsOf(null, '?limit=1');
    const expected = { operation: 'killContainer', outcome: 'failed', reason: 'unavailable' };
    expect(record).toMatchObject({ ...expected, target: { name: 'lost' } });
  });
});

describe('the list', () => {
  test('has all that a chain is made of, soon', async () => {
    const all = await vi.waitFor(async () => {
      const found = await recordsOf(ada, '?limit=1000');
      expect(found.filter(({ seal }) => seal === null)).toEqual([]);
      return found.toSorted((one, other) => one.seal.position - other.seal.position);
    }, 20_000);
    const organization = (await ada.call('GET', '/v1/organizations/ada')).body.id;
    let previous = '0'.repeat(64);
    for (const [at, { seal, actor, ...record }] of all.entries()) {
      const user = actor.type === 'user' ? actor.id : null;
      const document = { ...record, organization, user, position: at + 1, previous };
      const hash = createHash('sha256')
        .update(canonicalize(document) ?? '')
        .digest('hex');
      expect(seal).toEqual({ position: at + 1, hash });
      previous = hash;
    }
  });

  test('has the newest first, page by page, and of what is asked for only', async () => {
    const all = await recordsOf(ada, '?limit=1000');
    const times = all.map(({ time }) => time);
    expect(times).toEqual(times.toSorted().reverse());
    const pages: Body[] = [];
    for (let cursor = ''; ; ) {
      const at = `/v1/organizations/ada/audit?limit=7${cursor}`;
      const { body } = await ada.call('GET', at);
      pages.push(...body.items);
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(pages).toEqual(all);
    const { id } = (await ada.call('GET', '/v1/me')).body.user;
    const query = `?actor=${id}&operation=createProject&outcome=succeeded`;
    const found = await recordsOf(ada, query);
    expect(found).toEqual(
      all.filter(
        ({ actor, operation, outcome }) =>
          actor.id === id && operation === 'createProject' && outcome === 'succeeded',
      ),
    );
    expect(found.length).toBeGreaterThan(1);
  });

  test('refuses what no record can be', async () => {
    const answer = await ada.call('GET', '/v1/organizations/ada/audit?outcome=good');
    const errors = [{ path: 'query.outcome' }];
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid-request', errors } });
  });
});
