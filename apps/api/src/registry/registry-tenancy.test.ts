import type { Database } from '@slipway/db';
import { digestOf } from '@slipway/oci';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { PERMISSIONS } from '../access/permissions.ts';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { contentsOf } from '../testing/contents.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import { addPerson, keyOf, type Person } from '../testing/person.fixture.ts';
import type { Endpoint } from './endpoint.ts';

/* Each call of the registry: who may not, gets nothing, learns nothing, and changes nothing. */

interface Call {
  name: string;
  method: string;
  /** of a repository */
  path: string;
  needs: 'images:read' | 'images:write';
  body?: string;
}

const CONFIG = digestOf('{}');
const OTHER = digestOf('another');

/** Of each kind of endpoint; those two are for everybody who has a key. */
const CALLS: Readonly<Record<Exclude<Endpoint['kind'], 'base' | 'token'>, Call[]>> = {
  manifest: [
    read('GET', 'manifests/v1'),
    read('HEAD', 'manifests/v1'),
    write('PUT', 'manifests/v1', '{}'),
    write('DELETE', 'manifests/v1'),
  ],
  tags: [read('GET', 'tags/list')],
  blob: [
    read('GET', `blobs/${CONFIG}`),
    read('HEAD', `blobs/${CONFIG}`),
    write('DELETE', `blobs/${CONFIG}`),
  ],
  uploads: [
    write('POST', 'blobs/uploads/'),
    write('POST', `blobs/uploads/?digest=${OTHER}`, 'another'),
    write('POST', `blobs/uploads/?mount=${CONFIG}&from=ada/other/app`),
  ],
  upload: [
    write('GET', 'blobs/uploads/<upload>'),
    write('PATCH', 'blobs/uploads/<upload>', 'another'),
    write('PUT', `blobs/uploads/<upload>?digest=${OTHER}`, 'another'),
    write('DELETE', 'blobs/uploads/<upload>'),
  ],
};

function read(method: string, path: string): Call {
  return { name: `${method} ${path}`, method, path, needs: 'images:read' };
}

function write(method: string, path: string, body = ''): Call {
  const name = `${method} ${path}`;
  return { name, method, path, needs: 'images:write', ...(method === 'GET' ? {} : { body }) };
}

let api: TestApi;
let database: Database & AsyncDisposable;
let ada: Person;
/** an upload that ada has begun */
let upload: string;
/** what is not valid, or not any more */
const ended = new Map<string, string | null>([['none', null]]);
/** a stranger’s, and one of ada’s for another project */
const outside = new Map<string, string>();
/** each permission’s may all but this */
const lacking = new Map<string, string>();
beforeAll(async () => {
  api = await startTestApi();
  database = api.openDatabase();
  ada = await addPerson(api, 'ada');
  await ada.call('POST', '/v1/organizations/ada/projects', { slug: 'other' });
  const { token } = await keyOf(ada, { role: 'owner' });
  for (const project of ['default', 'other']) {
    await pushTestImage({ ...api, token }, `ada/${project}/app`, 'v1');
  }
  const begun = await call(write('POST', 'blobs/uploads/'), 'ada/default/app', token);
  expect(begun.status).toBe(202);
  upload = begun.headers.get('location')?.split('/').at(-1) ?? '';
  const strangers = await keyOf(await addPerson(api, 'stranger'), { role: 'owner' });
  const elsewhere = await keyOf(ada, { role: 'owner', project: 'other' });
  outside.set('a stranger’s key', strangers.token);
  outside.set('a key for another project', elsewhere.token);
  for (const needed of ['images:read', 'images:write']) {
    const scopes = PERMISSIONS.filter((one) => one !== needed);
    lacking.set(needed, (await keyOf(ada, { scopes })).token);
  }
  await endKeys();
});
beforeEach(async () => {
  const before = await contentsOf(database, api.blobsDir);
  return async () => expect(await contentsOf(database, api.blobsDir)).toEqual(before);
});
afterAll(async () => {
  await database?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

async function endKeys(): Promise<void> {
  const at = '/v1/organizations/ada/api-keys';
  for (const how of ['expired', 'revoked'] as const) {
    const { id, token } = await keyOf(ada, { role: 'owner' });
    const registryToken = await tokenOf(token);
    if (how === 'revoked') await ada.call('DELETE', `${at}/${id}`);
    else {
      const data = { expiresAt: new Date(Date.now() - 1) };
      await database.prisma.apiKey.update({ where: { id }, data });
    }
    ended.set(`a key that is ${how}`, token);
    ended.set(`a token of a key that is ${how}`, registryToken);
  }
  const isOver = async (token: string | null) => {
    const { status } = await call(read('GET', 'tags/list'), 'ada/default/app', token);
    expect(status).toBe(401);
  };
  for (const token of ended.values()) await vi.waitFor(() => isOver(token), 30_000);
}

/** For all that there is to do, as a client would get it. */
async function tokenOf(key: string): Promise<string> {
  const scope = 'repository:ada/default/app:pull,push';
  const headers = { authorization: `Bearer ${key}` };
  const answer = await fetch(`${api.registryUrl}/token?scope=${scope}`, { headers });
  const { token } = (await answer.json()) as { token: string };
  const read = await fetch(`${api.registryUrl}/v2/ada/default/app/tags/list`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(read.status).toBe(200);
  return token;
}

interface Answer {
  status: number;
  headers: Headers;
  /** of the first error */
  code: string;
  /** without what each request has of its own */
  text: string;
}

async function call(
  { method, path, body }: Call,
  repository: string,
  token: string | null,
): Promise<Answer> {
  const url = `${api.registryUrl}/v2/${repository}/${path.replace('<upload>', upload)}`;
  const answer = await fetch(url, {
    method,
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body }),
  });
  const text = (await answer.text()).replace(/"requestId":"[^"]+"/, '');
  const { status, headers } = answer;
  const code = /"code":"(\w+)"/.exec(text)?.[1] ?? '';
  return { status, headers, code, text: text.replaceAll(repository, '<name>') };
}

describe.each(Object.values(CALLS).flat())('$name', (one) => {
  const codeOf = (answer: Answer) => (one.method === 'HEAD' ? '' : answer.code);
  const said = (code: string) => (one.method === 'HEAD' ? '' : code);

  test('without a credential that is valid it is 401', async () => {
    for (const [name, token] of ended) {
      const answer = await call(one, 'ada/default/app', token);
      expect([name, answer.status, codeOf(answer)]).toEqual([name, 401, said('UNAUTHORIZED')]);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm=/);
    }
  });

  test('what is another’s is 404, as if it were not there', async () => {
    for (const [name, token] of outside) {
      const [foreign, ...absent] = [
        await call(one, 'ada/default/app', token),
        await call(one, 'ada/default/nothing', token),
        await call(one, 'nobody/default/app', token),
      ];
      expect([name, foreign.status, codeOf(foreign)]).toEqual([name, 404, said('NAME_UNKNOWN')]);
      for (const { status, text } of absent) {
        expect([name, status, text]).toEqual([name, 404, foreign.text]);
      }
    }
  });

  test('what a key’s scopes do not permit is 403', async () => {
    const answer = await call(one, 'ada/default/app', lacking.get(one.needs) ?? '');
    expect([answer.status, codeOf(answer)]).toEqual([403, said('DENIED')]);
  });
});
