import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { declaredRoutes, permissionOf } from '../http/route.ts';
import { buildOpenApiDocument } from '../openapi/document.ts';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import { joinTestNode, type TestNode } from '../testing/node.fixture.ts';
import { permissionsOf, ROLES, type Role } from './permissions.ts';

/*
 * Each operation of the OpenAPI document, those that come later too: who may not, gets nothing, and
 * learns nothing. That the document has all that is served, `document.test.ts` sees to.
 */

interface Operation {
  method: string;
  path: string;
  isPublic: boolean;
}

const operations: Operation[] = Object.entries(buildOpenApiDocument().paths ?? {}).flatMap(
  ([path, item]) =>
    Object.entries(item ?? {}).map(([method, { security }]) => ({
      ...{ method: method.toUpperCase(), path },
      isPublic: security?.length === 0,
    })),
);
const withKey = operations.filter(({ isPublic }) => !isPublic);
const ofOrganizations = withKey.filter(({ path }) => path.includes('{organization}'));
const ofProjects = withKey.filter(({ path }) => path.includes('{project}'));
const operators = declaredRoutes()
  .filter(({ access }) => access === 'operator')
  .map(({ method, path }) => ({ method, path: path.replace(/:(\w+)/g, '{$1}') }));
const permitted = declaredRoutes().flatMap(({ method, path, access }) => {
  if (typeof access === 'string') return [];
  return [{ method, path: path.replace(/:(\w+)/g, '{$1}'), permission: permissionOf(access) }];
});
const ofThings = ofProjects.filter(({ path }) => /\{project\}.*\{/.test(path));

/** the value of an environment variable of the container and of the service */
const CANARY = 'a value for few';

const named = <T extends Omit<Operation, 'isPublic'>>(some: T[]) =>
  some.map((operation) => ({ name: `${operation.method} ${operation.path}`, ...operation }));

let api: TestApi;
let node: TestNode;
let stranger: string;
/** a person of another organization, signed in */
let person: { cookie: string };
/** of the organization `local` */
const keys = new Map<Role, string>();
/** what path parameters stand for: things of local/default */
const things: Record<string, string> = { organization: 'local', project: 'default' };
beforeAll(async () => {
  api = await startTestApi();
  node = await joinTestNode(api);
  await pushTestImage(api, 'local/default/app', 'latest');
  stranger = (await api.addTenant('stranger')).token;
  person = await api.addPerson('person');
  for (const role of ROLES) keys.set(role, (await api.addKey(role)).token);
  const sessions = await api.call('GET', '/v1/me/sessions', { token: null, headers: person });
  things.session = sessions.body.items[0].id;
  const invited = await api.call('POST', '/v1/organizations/local/invitations', {
    body: { email: 'ada@example.test', role: 'viewer' },
  });
  things.invitation = invited.body.id;
  const issued = await api.call('POST', '/v1/organizations/local/api-keys', {
    body: { name: 'ci', role: 'viewer' },
  });
  things.key = issued.body.id;
  things.user = await addMember('grace');
  const at = '/v1/organizations/local/projects';
  await api.call('POST', at, { body: { slug: 'other' } });
  const made = await api.call('POST', `${at}/default/containers`, {
    body: { image: 'app', env: { CANARY } },
  });
  things.container = made.body.id;
  const built = await api.call('POST', `${at}/default/builds?image=web`, {
    ...{ body: 'no tar: nobody builds it here', headers: { 'content-type': 'application/x-tar' } },
  });
  things.build = built.body.id;
  const served = await api.call('POST', `${at}/default/services`, {
    body: { name: 'web', template: { image: 'app', env: { CANARY } } },
  });
  things.service = served.body.id;
  things.deploy = served.body.latestDeploy.id;
  const service = `${at}/default/services/${served.body.id}`;
  const revisions = await api.call('GET', `${service}/revisions`);
  things.revision = revisions.body.items[0].id;
  things.node = node.id;
});
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

/** Of the organization `local`. @returns their identifier */
async function addMember(name: string): Promise<string> {
  const invited = await api.call('POST', '/v1/organizations/local/invitations', {
    body: { email: `${name}@example.test`, role: 'viewer' },
  });
  const headers = await api.addPerson(name);
  const body = { token: invited.body.token };
  await api.call('POST', '/v1/invitations/accept', { body, headers, token: null });
  return (await api.call('GET', '/v1/me', { headers, token: null })).body.user.id;
}

function pathOf(path: string, values = things, otherwise?: string): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? otherwise;
    if (value === undefined) throw new Error(`this test makes no ${name} yet`);
    return value;
  });
}

test('without a key one gets the document, and how the platform is, and signs in', () => {
  const open = operations.filter(({ isPublic }) => isPublic);
  expect(open.map(({ path }) => path)).toEqual([
    ...['/v1/auth/sign-in', '/v1/auth/sign-out', '/v1/auth/sign-up'],
    ...['/v1/health', '/v1/openapi.json'],
  ]);
});

describe('without a key it is 401', () => {
  test.each(named(withKey))('$name', async ({ method, path }) => {
    const answer = await api.call(method, pathOf(path), { token: null });
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  });
});

describe('what is the operator’s is 403 to the owner of an organization', () => {
  test.each(named(operators))('$name', async ({ method, path }) => {
    for (const reference of [node.id, 'nothing']) {
      const there = pathOf(path, { node: reference });
      const answer = await api.call(method, there, { token: stranger });
      expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
  });
});

describe('what is of another organization is 404, as if it were not there', () => {
  test.each(named(ofOrganizations))('$name', async ({ method, path }) => {
    for (const credential of [{ token: stranger }, { token: null, headers: person }]) {
      const foreign = await api.call(method, pathOf(path), credential);
      expect(foreign).toMatchObject({ status: 404, body: { code: 'not-found' } });
      const nowhere = pathOf(path, { ...things, organization: 'nowhere' });
      const absent = await api.call(method, nowhere, credential);
      expect(absent.body.detail.replace('nowhere', 'local')).toBe(foreign.body.detail);
    }
  });
});

describe('what their role does not permit is 403 to who is of the organization', () => {
  test.each(named(permitted))('$name', async ({ method, path, permission }) => {
    const there = pathOf(path, { organization: 'local', project: 'default' }, 'nothing');
    for (const [role, token] of keys) {
      const answer = await api.call(method, there, { token });
      if (permissionsOf(role).includes(permission)) {
        expect(answer.body.detail ?? '').not.toContain('needs the permission');
      } else {
        const detail = `This needs the permission ${permission}, which the role ${role} does not have.`;
        expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden', detail } });
      }
    }
  });
});

describe('what shows an environment shows its values to who may see them', () => {
  const gets = ofProjects.filter(({ method, path }) => method === 'GET' && !path.endsWith('/logs'));
  const shows: string[] = [];

  test.each(named(gets))('$name', async ({ path }) => {
    const there = `${pathOf(path)}${path.endsWith('/wait') ? '?timeoutMs=1' : ''}`;
    const shown = JSON.stringify((await api.call('GET', there)).body);
    const hidden = shown.replace(/"env":{[^}]*}/g, (env) => env.replace(/:"[^"]*"/g, ':null'));
    if (shown !== hidden) shows.push(path);
    expect(hidden).not.toContain(CANARY);
    for (const [role, token] of keys) {
      const mayRead = permissionsOf(role).includes('environment:read');
      const { body } = await api.call('GET', there, { token });
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
    const thing = things[kind.slice(0, -1)];
    const at = `/v1/organizations/local/projects/default/${kind}/${thing}/${control}`;
    const { status, body } = await api.call('POST', at, { token: keys.get('responder') ?? '' });
    expect(status).toBeLessThan(300);
    expect(body.env ?? body.template.env).toEqual({ CANARY: null });
  });
});

describe('a thing of a project is 404 through another one, a stranger’s or one’s own', () => {
  test.each(named(ofThings))('$name', async ({ method, path }) => {
    const strangers = pathOf(path, { ...things, organization: 'stranger', project: 'web' });
    const own = pathOf(path, { ...things, project: 'other' });
    for (const [place, token] of [
      [strangers, stranger],
      [own, api.token],
    ] as const) {
      const answer = await api.call(method, place, { token });
      expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } });
    }
  });
});

describe('what a body names of another organization is refused as what is not there', () => {
  const refusal = async (path: string, body: unknown): Promise<string> => {
    const at = '/v1/organizations/stranger/projects/web';
    const answer = await api.call('POST', `${at}${path}`, { body, token: stranger });
    expect(answer).toMatchObject({ status: 422, body: { code: 'invalid-request' } });
    return JSON.stringify(answer.body.errors);
  };
  const bodies = {
    '/containers': (image: string) => ({ image }),
    '/services': (image: string) => ({ name: 'web', template: { image } }),
  };

  test.each(Object.entries(bodies))('an image, of %s', async (path, bodyOf) => {
    const foreign = await refusal(path, bodyOf('local/default/app'));
    for (const absent of ['local/default/nothing', 'nowhere/default/app']) {
      const refused = await refusal(path, bodyOf(absent));
      expect(refused.replaceAll(absent, 'local/default/app')).toBe(foreign);
    }
  });

  test('a context, of /builds', async () => {
    const uploaded = await api.call('POST', '/v1/organizations/local/projects/default/contexts', {
      ...{ body: 'a tar', headers: { 'content-type': 'application/x-tar' } },
    });
    const { id } = uploaded.body;
    const absent = id.replace(/.$/, (last: string) => (last === '0' ? '1' : '0'));
    const refused = await refusal('/builds', { image: 'web', context: absent });
    expect(refused.replace(absent, id)).toBe(
      await refusal('/builds', { image: 'web', context: id }),
    );
  });
});

describe('no name in a path is too strange to be answered', () => {
  const names = ['%00', '%ff', '%2e%2e', '%2F', "'", '"', '%', 'x'.repeat(2_000), '%F0%9F%92%A9'];
  test.each(named(ofOrganizations))('$name', async ({ method, path }) => {
    const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    for (const parameter of parameters) {
      for (const name of names) {
        const answer = await api.call(method, pathOf(path, { ...things, [parameter]: name }));
        expect([name, answer.status]).toEqual([name, expect.toSatisfy((status) => status < 500)]);
        expect(answer.status).toBeGreaterThanOrEqual(400);
      }
    }
  });
});
