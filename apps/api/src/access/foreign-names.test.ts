import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Answer, startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { bodyOf, fieldsOf, queryOf, schemaOf, withField } from '../testing/bodies.fixture.ts';
import { type Estate, furnish } from '../testing/estate.fixture.ts';
import { joinTestNode, type TestNode } from '../testing/node.fixture.ts';
import {
  CLOSED,
  OF_OPERATORS,
  OF_ORGANIZATIONS,
  type Operation,
  pathOf,
} from '../testing/operations.fixture.ts';
import { addPerson, type Person } from '../testing/person.fixture.ts';

/*
 * Wherever a request has room for a name, somebody puts one of another organization: in each field of a
 * body, each parameter of a query, and in headers, of each operation of the OpenAPI document. It is as if
 * what is named were not there, and nothing of it is another afterwards.
 */

const CANARY = 'a value for few';

let api: TestApi;
let node: TestNode;
let ada: Person;
let adas: Estate;
/** what is ada’s, with a name like it that nobody has */
let foreign: [name: string, nobodys: string][];
beforeAll(async () => {
  api = await startTestApi();
  node = await joinTestNode(api);
  ada = await addPerson(api, 'ada');
  adas = await furnish(api, node, { owner: ada, canary: CANARY });
  await vi.waitFor(() => expectSealed(ada), { timeout: 30_000 });
  const { project: _, node: __, ...names } = adas;
  const ids = ['', '/projects/default'].map(async (path) => {
    const { body } = await ada.call('GET', `/v1/organizations/ada${path}`);
    return body.id as string;
  });
  foreign = [
    ...[...Object.values(names), ...(await Promise.all(ids))].map(besidesNobodys),
    ['ada/default/app', 'nobody/default/app'],
    ['ada/default/app', 'ada/default/nothing'],
    ['adas-guest@example.test', 'nobody@example.test'],
  ];
});
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

/** What was recorded of them changes no more. */
async function expectSealed(them: Person): Promise<void> {
  const { body } = await them.call('GET', `/v1/organizations/${them.name}/audit?limit=1`);
  expect(body.items).toMatchObject([{ seal: { position: expect.any(Number) } }]);
}

function besidesNobodys(name: string): [string, string] {
  return [name, name.replace(/.$/, (last) => (last === '0' ? '1' : '0'))];
}

let newcomers = 0;
/** Somebody with things of their own, where no name is taken. */
async function newcomer(): Promise<{ them: Person; own: Estate }> {
  const them = await addPerson(api, `newcomer-${++newcomers}`);
  return { them, own: await furnish(api, node, { owner: them, canary: 'their own value' }) };
}

/** They answer at once, and the same at another time. */
const GETS = OF_ORGANIZATIONS.filter(
  ({ method, path }) => method === 'GET' && !/\/(logs|usage|wait)$/.test(path),
);

/** All that ada can see of what she has. */
async function view(): Promise<unknown> {
  const seen = await Promise.all(GETS.map(({ path }) => ada.call('GET', pathOf(path, adas))));
  for (const { status } of seen) expect(status).toBe(200);
  return seen.map(({ body }) => body);
}

type Ask = (name: string) => Promise<Answer>;

/** @param ask puts a name where there is room for one */
async function expectNothingOf(where: string, ask: Ask): Promise<void> {
  for (const [name, nobodys] of foreign) {
    const [asked, absent] = [await ask(name), await ask(nobodys)];
    expect([where, name, asked.status, asked.body]).toEqual([
      ...[where, name, absent.status],
      asked.status < 300 ? asked.body : told(absent, nobodys, name, asked),
    ]);
    expect(asked.status).toBeLessThan(500);
    expectSilence(asked.body, name);
  }
}

/** What was said of one name, as if it had been said of the other. */
function told({ body }: Answer, before: string, after: string, to: Answer): unknown {
  const { requestId } = to.body;
  return { ...JSON.parse(JSON.stringify(body).replaceAll(before, after)), requestId };
}

/** @param except what who asked has said themselves */
function expectSilence(body: unknown, except = ''): void {
  const text = JSON.stringify(body).replaceAll(except || '\0', '');
  expect(text).not.toContain(CANARY);
  for (const [name] of foreign) if (name !== 'ada') expect(text).not.toContain(name);
}

describe('in a body', () => {
  const withBody = OF_ORGANIZATIONS.filter((operation) => schemaOf(operation) !== undefined);

  test.each(withBody)('$name', async (operation) => {
    const { method, path } = operation;
    const schema = schemaOf(operation) ?? {};
    const { them, own } = await newcomer();
    const before = await view();
    const sample = await them.call(method, pathOf(path, own), bodyOf(schema, own));
    expect([sample.status, sample.body]).not.toEqual([422, sample.body]);
    for (const field of fieldsOf(schema)) {
      await expectNothingOf(field.path.join('.'), (name) =>
        them.call(method, pathOf(path, own), withField(bodyOf(schema, own), field, name)),
      );
    }
    expect(await view()).toEqual(before);
  });
});

describe('in a query', () => {
  const withQuery = OF_ORGANIZATIONS.filter((operation) => queryOf(operation).length > 0);

  test.each(withQuery)('$name', async (operation) => {
    const { method, path } = operation;
    const { them, own } = await newcomer();
    const before = await view();
    for (const parameter of queryOf(operation)) {
      await expectNothingOf(parameter, (name) => {
        const query = new URLSearchParams({ ...querySample(operation), [parameter]: name });
        const there = `${pathOf(path, own)}?${query}`;
        if (method === 'GET') return them.call(method, there);
        const headers = { ...them.headers, 'content-type': 'application/x-tar' };
        return api.call(method, there, { ...them, body: 'no tar: nobody builds it', headers });
      });
    }
    expect(await view()).toEqual(before);
  });

  function querySample({ method, path }: Operation): Record<string, string> {
    if (method === 'POST') return { image: 'web' };
    return path.endsWith('/wait') ? { timeoutMs: '1' } : {};
  }
});

describe('in headers', () => {
  let them: Person;
  let own: Estate;
  beforeAll(async () => {
    ({ them, own } = await newcomer());
    await vi.waitFor(() => expectSealed(them), { timeout: 30_000 });
  });

  test.each(GETS)('$name', async ({ path }) => {
    const there = pathOf(path, own);
    const { body } = await them.call('GET', there);
    const headers = { ...them.headers, ...claimsOf(pathOf(path, adas)) };
    expect((await api.call('GET', there, { ...them, headers })).body).toEqual(body);
    expectSilence(body);
  });

  /** what other servers believe */
  function claimsOf(path: string): Record<string, string> {
    return {
      ...{ 'x-organization': 'ada', 'x-organization-id': 'ada', 'x-tenant': 'ada' },
      ...{ 'x-user': adas.user ?? '', 'x-forwarded-user': 'ada@example.test', from: 'ada' },
      ...{ 'x-original-url': path, 'x-rewrite-url': path, 'x-forwarded-uri': path },
      ...{ 'x-forwarded-prefix': '/v1/organizations/ada', 'x-project-id': 'default' },
    };
  }
});

describe('who asks what is nobody’s in particular hears nothing of others', () => {
  const operators = new Set(OF_OPERATORS.map(({ name }) => name));
  const gets = CLOSED.filter(
    (one) => one.method === 'GET' && !OF_ORGANIZATIONS.includes(one) && !operators.has(one.name),
  );
  test.each(gets)('$name', async ({ path }) => {
    const { them, own } = await newcomer();
    const { status, body } = await them.call('GET', pathOf(path, own));
    expect(status).toBe(200);
    expectSilence(body);
  });
});
