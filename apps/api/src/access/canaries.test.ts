import { randomBytes } from 'node:crypto';
import type { Database } from '@slipway/db';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { bodyOf, fieldsOf, schemaOf, withField } from '../testing/bodies.fixture.ts';
import { type Estate, furnish } from '../testing/estate.fixture.ts';
import { joinTestNode, type TestNode } from '../testing/node.fixture.ts';
import { CLOSED, OPEN, pathOf } from '../testing/operations.fixture.ts';
import { addPerson, type Person } from '../testing/person.fixture.ts';

/*
 * What is planted where secrets go – keys, cookies, passwords, environment, build arguments – and where
 * somebody puts one by mistake – a query, a body that nobody can read, a field that cannot take it: no answer
 * repeats it, and neither does a line of the log, whatever its level, a record of the audit log, or a metric.
 */

const CANARY = `canary${randomBytes(12).toString('hex')}`;
const BASIC = Buffer.from(`canary:${CANARY}`).toString('base64');
const SECRETS = [CANARY, BASIC];
/** as a browser or a client of another product would send one */
const CREDENTIALS: Record<string, string>[] = [
  { authorization: `Bearer slp_${CANARY}` },
  { authorization: `Basic ${BASIC}` },
  { authorization: CANARY, 'proxy-authorization': `Basic ${BASIC}` },
  { cookie: `slipway-session=${CANARY}; __Host-slipway-session=${CANARY}; token=${CANARY}` },
  { 'x-api-key': CANARY, referer: `http://127.0.0.1/?token=${CANARY}` },
];
const QUERY = `token=${CANARY}&password=${CANARY}&access_token=${CANARY}`;
const UNREADABLE: { body: string; headers: Record<string, string> }[] = [
  { body: `{"password":"${CANARY}"`, headers: { 'content-type': 'application/json' } },
  { body: `password: ${CANARY}`, headers: { 'content-type': 'application/json' } },
  { body: `["${CANARY}"]`, headers: { 'content-type': 'application/json' } },
  { body: `"${CANARY}"`, headers: { 'content-type': 'application/json' } },
  { body: `password=${CANARY}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } },
  { body: CANARY, headers: { 'content-type': `text/plain; charset=${CANARY}` } },
];

let api: TestApi;
let node: TestNode;
let database: Database & AsyncDisposable;
const lines: string[] = [];
beforeAll(async () => {
  const destination = { write: (line: string) => void lines.push(line) };
  api = await startTestApi({ LOG_LEVEL: 'trace' }, { destination });
  node = await joinTestNode(api);
  database = api.openDatabase();
});
afterAll(async () => {
  await database?.[Symbol.asyncDispose]();
  await node?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

/** @param secrets that may not be there */
function expectNone(where: string, text: string, secrets = SECRETS): void {
  for (const secret of secrets) {
    const at = text.indexOf(secret);
    expect([where, at === -1 ? '' : text.slice(Math.max(0, at - 300), at + 300)]).toEqual([
      where,
      '',
    ]);
  }
}

/** Nothing of it is repeated, whether it is refused or was none of the operation's business. */
function expectSilence(where: string, { status, headers, body }: Answer): void {
  expect([where, status]).toEqual([where, status < 500 ? status : 'a refusal']);
  expectNone(where, JSON.stringify([body, ...headers]));
}

/** It is refused, and nothing of it is repeated. */
function expectRefusal(where: string, { status, headers, body }: Answer): void {
  expect([where, body]).toEqual([where, status >= 400 && status < 500 ? body : 'a refusal']);
  expectNone(where, JSON.stringify([body, ...headers]));
}

let newcomers = 0;
/** Somebody with one of each thing. */
async function newcomer(): Promise<{ them: Person; own: Estate }> {
  const them = await addPerson(api, `newcomer-${++newcomers}`);
  return { them, own: await furnish(api, node, { owner: them, canary: 'their own value' }) };
}

describe('a request with one in the wrong place', () => {
  test.each([...OPEN, ...CLOSED])('$name', async (operation) => {
    const { method, path } = operation;
    const isOpen = OPEN.includes(operation);
    const { them, own } = await newcomer();
    const check = isOpen ? expectSilence : expectRefusal;
    const by = isOpen ? {} : them.headers;
    const there = pathOf(path, own);
    for (const headers of CREDENTIALS) {
      check(JSON.stringify(headers), await api.call(method, there, { token: null, headers }));
    }
    for (const { body, headers } of method === 'GET' ? [] : UNREADABLE) {
      const asked = { token: null, headers: { ...by, ...headers }, body };
      const isIgnored = schemaOf(operation) === undefined;
      (isIgnored ? expectSilence : check)(body, await api.call(method, there, asked));
    }
    const asked = { token: null, headers: by };
    expectSilence('query', await api.call(method, `${there}?${QUERY}`, asked));
  });
});

/** What no field takes. */
const SPOILT: unknown[] = [{ is: CANARY }, [[CANARY]], `${CANARY}\0`, CANARY.repeat(9_000)];
/** Where some of it may be a secret, which is taken. */
const OF_SECRETS = ['password', 'secrets'];

describe('a field that is spoilt', () => {
  const withBody = [...OPEN, ...CLOSED].filter((operation) => schemaOf(operation) !== undefined);

  test.each(withBody)('$name', async (operation) => {
    const { method, path } = operation;
    const schema = schemaOf(operation) ?? {};
    const { them, own } = await newcomer();
    for (const field of fieldsOf(schema)) {
      for (const value of SPOILT) {
        const body = withField(bodyOf(schema, own), field, value);
        const answer = await them.call(method, pathOf(path, own), body);
        const check = OF_SECRETS.includes(field.path[0] ?? '') ? expectSilence : expectRefusal;
        check(`${field.path.join('.')} ${JSON.stringify(value).slice(0, 80)}`, answer);
      }
    }
  });
});

describe('afterwards', () => {
  test('the log has none, and has the requests', () => {
    expect(lines.length).toBeGreaterThan(OPEN.length + CLOSED.length);
    for (const line of lines) expectNone('log', line);
  });

  test('the audit log has none', async () => {
    const { rows } = await database.pool.query('SELECT r::text AS record FROM "AuditRecord" r');
    expect(rows.length).toBeGreaterThan(0);
    for (const { record } of rows) expectNone('audit', record);
  });

  test('the metrics have none', async () => {
    const answer = await api.call('GET', '/metrics');
    expect(answer.status).toBe(200);
    expectNone('metrics', answer.body);
  });
});
