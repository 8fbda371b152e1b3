import { digestOf } from '@slipway/oci';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import { addPerson, keyOf, type Person, type TestKey } from '../testing/person.fixture.ts';

const REPOSITORY = 'ada/default/app';
const CONFIG = digestOf('{}');

let api: TestApi;
let ada: Person;
let key: TestKey;
beforeAll(async () => {
  api = await startTestApi();
  ada = await addPerson(api, 'ada');
  key = await keyOf(ada, { scopes: ['images:read', 'images:write'] });
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
});

/** What is recorded of those who act with `by` since `before` records, the oldest first. */
async function recordsOf({ id }: TestKey, before = 0) {
  const { body } = await ada.call('GET', `/v1/organizations/ada/audit?limit=1000&actor=${id}`);
  return body.items.toReversed().slice(before);
}

/** Of all in the organization; what else a record says changes when it is sealed. */
async function recorded(): Promise<string[]> {
  const { body } = await ada.call('GET', '/v1/organizations/ada/audit?limit=1000');
  return body.items.map(({ id }: { id: string }) => id);
}

const call = (method: string, path: string, { token }: { token: string }, body?: string) =>
  fetch(`${api.registryUrl}/v2/${path}`, {
    ...{ method, headers: { authorization: `Bearer ${token}` } },
    ...(body === undefined ? {} : { body }),
  });

test('what a push changes is recorded, and what of it is deleted', async () => {
  const digest = await pushTestImage({ ...api, token: key.token }, REPOSITORY, 'v1');
  const blob = { type: 'blob', id: CONFIG, name: 'app' };
  const image = { type: 'image', id: digest, name: 'app' };
  const project = (await ada.call('GET', '/v1/organizations/ada/projects/default')).body.id;
  const about = { outcome: 'succeeded', actor: { type: 'api-key', name: 'a key' }, project };
  const pushed = [
    { ...about, operation: 'pushBlob', target: { type: 'repository', name: 'app' } },
    { ...about, operation: 'pushBlob', target: blob },
    { ...about, operation: 'pushManifest', target: image, details: { tag: 'v1' } },
  ];
  expect(await recordsOf(key)).toMatchObject(pushed);
  const again = await pushTestImage({ ...api, token: key.token }, REPOSITORY, 'v2');
  expect(again).toBe(digest);
  await call('POST', `ada/default/copy/blobs/uploads/?mount=${CONFIG}&from=${REPOSITORY}`, key, '');
  const copied = `ada/default/copy/blobs/${CONFIG}`;
  for (const path of [`${REPOSITORY}/manifests/v1`, `${REPOSITORY}/manifests/${digest}`, copied]) {
    expect((await call('DELETE', path, key)).status).toBe(202);
  }
  expect(await recordsOf(key, pushed.length)).toMatchObject([
    { operation: 'pushManifest', target: image, details: { tag: 'v2' } },
    { operation: 'pushBlob', target: { type: 'repository', name: 'copy' } },
    { operation: 'pushBlob', target: { ...blob, name: 'copy' } },
    { operation: 'deleteManifest', target: { type: 'tag', id: null }, details: { tag: 'v1' } },
    { operation: 'deleteManifest', target: image },
    { operation: 'deleteBlob', target: { ...blob, name: 'copy' } },
  ]);
});

test('what is refused to who is of the organization, and to nobody else', async () => {
  const reader = await keyOf(ada, { scopes: ['images:read'] });
  const stranger = await keyOf(await addPerson(api, 'stranger'), { role: 'owner' });
  const before = await recorded();
  const push = (by: TestKey, name = REPOSITORY) => call('PUT', `${name}/manifests/v1`, by, '{}');
  expect((await push(stranger)).status).toBe(404);
  expect((await push(key, 'library/app')).status).toBe(403);
  expect((await call('GET', `${REPOSITORY}/tags/list`, reader)).status).toBe(200);
  expect(await recorded()).toEqual(before);
  expect((await push(reader)).status).toBe(403);
  expect((await push(key)).status).toBe(400);
  const [refused] = await recordsOf(reader);
  const target = { type: 'repository', id: null, name: REPOSITORY };
  const about = { operation: 'pushManifest', outcome: 'refused', target };
  expect(refused).toMatchObject({ ...about, reason: 'DENIED' });
  expect((await recordsOf(key)).at(-1)).toMatchObject({ ...about, reason: 'MANIFEST_INVALID' });
});
