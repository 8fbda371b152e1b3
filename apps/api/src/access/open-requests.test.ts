import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { type OutgoingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { createLogger } from '@slipway/log';
import fastify from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import { addMember, addPerson, type Credential, type Person } from '../testing/person.fixture.ts';
import { OpenRequests } from './open-requests.ts';

/* What was begun with a right does not outlast it. */

const ORGANIZATION = '/v1/organizations/ada';
const KEYS = `${ORGANIZATION}/api-keys`;
const P = `${ORGANIZATION}/projects/default`;
const TAR = { 'content-type': 'application/x-tar' };
const WITHIN = { timeout: 30_000 };

let api: TestApi;
let ada: Person;
/** a build that nobody takes */
let build: string;
let opened: Open[] = [];
beforeAll(async () => {
  api = await startTestApi();
  ada = await addPerson(api, 'ada');
  const made = await api.call('POST', `${P}/builds?image=web`, {
    ...{ ...ada, body: 'no tar: nobody builds it', headers: { ...ada.headers, ...TAR } },
  });
  build = made.body.id;
});
beforeEach(() => {
  opened = [];
  return () => {
    for (const { close } of opened) close();
  };
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
});

interface Open {
  /** the status of an answer, once there is one */
  readonly fate: () => number | 'open' | 'cut';
  close(): void;
}

function open(url: string, headers: OutgoingHttpHeaders, body?: { method: string }): Open {
  const method = body?.method ?? 'GET';
  const asked = request(url, { method, headers, agent: false });
  let fate: number | 'open' | 'cut' = 'open';
  asked.on('error', () => {}); // 'close' comes too
  asked.on('close', () => {
    if (fate === 'open' || fate === 200) fate = 'cut';
  });
  asked.on('response', (response) => {
    fate = response.statusCode ?? 0;
    response.on('error', () => {}).resume();
  });
  if (body === undefined) asked.end();
  else asked.write(Buffer.alloc(2 ** 20)); // a part of it: what is less may wait for more before it is written
  const one = { fate: () => fate, close: () => void asked.destroy() };
  opened.push(one);
  return one;
}

const headersOf = (by: Credential): OutgoingHttpHeaders =>
  by.token === null ? by.headers : { authorization: `Bearer ${by.token}` };

/** Somebody reads, waits, and sends; the platform has begun with each. */
async function openAll(by: Credential): Promise<Open[]> {
  const headers = headersOf(by);
  const before = bytesOfUploads();
  const all = [
    open(`${api.url}${P}/builds/${build}/logs?follow=true`, headers),
    open(`${api.url}${P}/builds/${build}/wait?timeoutMs=60000`, headers),
    open(`${api.url}${P}/contexts`, { ...headers, ...TAR }, { method: 'POST' }),
  ];
  await vi.waitFor(() => {
    expect(all[0]?.fate()).toBe(200);
    expect(bytesOfUploads()).toBeGreaterThan(before);
  }, WITHIN);
  return all;
}

/** So that there is something to see of an upload that has begun. */
function bytesOfUploads(): number {
  const folder = join(api.blobsDir, 'uploads');
  return readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
}

const fates = (all: readonly Open[]) => all.map(({ fate }) => fate());
const areCut = (all: readonly Open[]) =>
  vi.waitFor(() => expect(new Set(fates(all))).toEqual(new Set(['cut'])), WITHIN);

async function keyOf(by: Person, wish: object): Promise<{ id: string; token: string }> {
  const { status, body } = await by.call('POST', KEYS, { name: 'ci', ...wish });
  expect([status, body]).toEqual([201, body]);
  return body;
}

describe('what is open is cut off when', () => {
  const at = (name: string) => `${ORGANIZATION}/members/${name}@example.test`;
  const developer = (name: string) => addMember(api, ada, { name, role: 'developer' });

  test('its key is revoked; other keys’ goes on', async () => {
    const [bystander, key] = [
      await keyOf(ada, { role: 'developer' }),
      await keyOf(ada, { role: 'developer' }),
    ];
    const [theirs, others] = [await openAll(key), await openAll(bystander)];
    expect((await ada.call('DELETE', `${KEYS}/${key.id}`)).status).toBe(204);
    await areCut(theirs);
    expect(fates(others)).toEqual([200, 'open', 'open']);
  });

  test('its key expires', async () => {
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const key = await keyOf(ada, { role: 'developer', expiresAt });
    const theirs = await openAll(key);
    await using database = api.openDatabase();
    const data = { expiresAt: new Date(Date.now() - 1) };
    await database.prisma.apiKey.update({ where: { id: key.id }, data });
    await areCut(theirs);
  });

  test('who made its key may do less', async () => {
    const grace = await developer('grace');
    const theirs = await openAll(await keyOf(grace, { scopes: ['builds:read', 'builds:write'] }));
    await ada.call('PATCH', at('grace'), { role: 'viewer' });
    await areCut(theirs);
  });

  test('its session is signed out', async () => {
    const alan = await developer('alan');
    const theirs = await openAll(alan);
    await alan.call('POST', '/v1/auth/sign-out');
    await areCut(theirs);
  });

  test('its person is removed', async () => {
    const theirs = await openAll(await developer('edsger'));
    await ada.call('DELETE', at('edsger'));
    await areCut(theirs);
  });

  test('its person may do less in this organization; in another that is nothing to it', async () => {
    const dora = await developer('dora');
    const made = await dora.call('POST', '/v1/organizations/dora/projects/default/contexts');
    expect(made.status).toBe(415);
    const elsewhere = open(
      `${api.url}/v1/organizations/dora/projects/default/contexts`,
      { ...dora.headers, ...TAR },
      { method: 'POST' },
    );
    const theirs = await openAll(dora);
    await ada.call('PATCH', at('dora'), { role: 'viewer' });
    await areCut(theirs);
    expect(elsewhere.fate()).toBe('open');
  });
});

test('more rights cut off nothing, and who revokes their own key gets an answer', async () => {
  const leslie = await addMember(api, ada, { name: 'leslie', role: 'developer' });
  const theirs = await openAll(leslie);
  await ada.call('PATCH', `${ORGANIZATION}/members/leslie@example.test`, { role: 'admin' });
  const key = await keyOf(leslie, { role: 'developer' });
  const keys = await openAll(key);
  const revoked = await api.call('DELETE', `${KEYS}/${key.id}`, { token: key.token });
  expect(revoked.status).toBe(204);
  await areCut(keys);
  expect(fates(theirs)).toEqual([200, 'open', 'open']);
});

test('a push is cut off when the key is revoked that it, or its token, was begun with', async () => {
  await pushTestImage(api, 'library/app', 'latest');
  const key = await keyOf(ada, { role: 'developer' });
  const registry = `${api.registryUrl}/v2/ada/default/app/blobs/uploads/`;
  const basic = { authorization: `Basic ${btoa(`any:${key.token}`)}` };
  const scope = 'repository:ada/default/app:pull,push';
  const url = `${api.registryUrl}/token?service=slipway&scope=${scope}`;
  const answer = await fetch(url, { headers: basic });
  const { token } = (await answer.json()) as { token: string };
  const all = [];
  for (const headers of [basic, { authorization: `Bearer ${token}` }]) {
    const begun = await fetch(registry, { method: 'POST', headers });
    expect(begun.status).toBe(202);
    const before = bytesOfUploads();
    const at = new URL(begun.headers.get('location') ?? '', api.registryUrl).href;
    const type = { 'content-type': 'application/octet-stream' };
    all.push(open(at, { ...headers, ...type }, { method: 'PATCH' }));
    await vi.waitFor(() => expect(bytesOfUploads()).toBeGreaterThan(before), WITHIN);
  }
  await ada.call('DELETE', `${KEYS}/${key.id}`);
  await areCut(all);
});

test('who left before they were known is forgotten; others go on while nobody can be asked', async () => {
  const asked: (readonly string[])[] = [];
  const callersOfIds = (ids: readonly string[]) => {
    asked.push(ids);
    return Promise.reject(new Error('the database is away'));
  };
  const log = createLogger({ name: 'test', level: 'silent' });
  const requests = new OpenRequests([{ callersOfIds }], log);
  const callerCalled = (credentialId: string) => {
    return { credentialId, userId: null, isOperator: false, memberships: [] };
  };
  const server = fastify({ forceCloseConnections: true });
  const [here, left] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  server.get('/left', async (_, reply) => {
    here.resolve();
    await once(reply.raw, 'close');
    requests.add(reply, callerCalled('key_left'), null);
    left.resolve();
  });
  server.get('/stays', (_, reply) => {
    reply.raw.writeHead(200).flushHeaders();
    requests.add(reply, callerCalled('key_stays'), null);
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const leaver = open(`${url}/left`, {});
  const stayer = open(`${url}/stays`, {});
  await vi.waitFor(() => expect(stayer.fate()).toBe(200), WITHIN);
  await here.promise;
  leaver.close();
  await left.promise;
  requests.start();
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(1), WITHIN);
  expect(new Set(asked.flat())).toEqual(new Set(['key_stays']));
  expect(stayer.fate()).toBe(200);
  await requests.close();
  await server.close();
});
