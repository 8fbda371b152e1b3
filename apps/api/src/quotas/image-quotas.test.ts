import { randomBytes } from 'node:crypto';
import { utimes } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { Secret } from '@slipway/log';
import { digestOf, MEDIA_TYPES } from '@slipway/oci';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { AuditStore } from '../audit/audit.store.ts';
import { DirectoryBlobStore } from '../blobs/directory.blob-store.ts';
import { ImageStore } from '../images/image.store.ts';
import { UploadStore } from '../images/upload.store.ts';
import { UploadIds } from '../registry/upload-ids.ts';
import { Uploads } from '../registry/uploads.ts';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { contentsOf } from '../testing/contents.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import { QuotaStore } from './quota.store.ts';

const LOCAL = '/v1/organizations/local';
const MIB = 1024 * 1024;
const WITHIN = { timeout: 30_000 };

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
});

/** A project of each test's own, and a repository of it. */
let slug: string;
let P: string;
let web: string;
beforeEach(async () => {
  slug = `p${randomBytes(4).toString('hex')}`;
  P = `${LOCAL}/projects/${slug}`;
  web = `local/${slug}/web`;
  await addProject(slug);
});

afterEach(() => limit(LOCAL, null));

async function addProject(name: string): Promise<void> {
  const made = await api.call('POST', `${LOCAL}/projects`, { body: { slug: name } });
  expect(made).toMatchObject({ status: 201 });
}

async function limit(place: string, imageBytes: number | null): Promise<void> {
  const answer = await api.call('PATCH', `${place}/quotas`, { body: { imageBytes } });
  expect(answer).toMatchObject({ status: 200 });
}

const usedIn = async (place: string): Promise<number> =>
  (await api.call('GET', `${place}/quotas`)).body.imageBytes.used;

type Body = Uint8Array<ArrayBuffer> | ReadableStream | string;

function call(method: string, path: string, body?: Body, type?: string): Promise<Response> {
  return fetch(`${api.registryUrl}${path.startsWith('/') ? path : `/v2/${path}`}`, {
    method,
    headers: {
      authorization: `Bearer ${api.token}`,
      ...(type === undefined ? {} : { 'content-type': type }),
    },
    ...(body === undefined ? {} : { body, duplex: 'half' }),
  });
}

const push = (repository: string, bytes: Uint8Array<ArrayBuffer>): Promise<Response> =>
  call('POST', `${repository}/blobs/uploads/?digest=${digestOf(bytes)}`, bytes);

async function pushed(repository: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  expect((await push(repository, bytes)).status).toBe(201);
  return digestOf(bytes);
}

/** @returns where it goes on */
async function open(repository: string): Promise<string> {
  const answer = await call('POST', `${repository}/blobs/uploads/`);
  expect(answer.status).toBe(202);
  return answer.headers.get('location') ?? '';
}

const image = (...layers: Uint8Array[]): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: { mediaType: MEDIA_TYPES.config, digest: digestOf('{}'), size: 2 },
    layers: layers.map((bytes) => {
      return { mediaType: MEDIA_TYPES.layer, digest: digestOf(bytes), size: bytes.length };
    }),
  });

const putManifest = (repository: string, content: string): Promise<Response> =>
  call('PUT', `${repository}/manifests/${digestOf(content)}`, content, MEDIA_TYPES.manifest);

/** @returns what its manifest is */
async function pushImage(repository: string, ...layers: Uint8Array<ArrayBuffer>[]) {
  for (const bytes of [Buffer.from('{}'), ...layers]) await pushed(repository, bytes);
  const content = image(...layers);
  expect((await putManifest(repository, content)).status).toBe(201);
  return content;
}

async function refusalOf(answer: Response) {
  const { errors } = (await answer.json()) as { errors: { code: string; detail: object }[] };
  expect([answer.status, errors[0]?.code]).toEqual([403, 'DENIED']);
  return errors[0];
}

async function contents(): Promise<unknown> {
  await using database = api.openDatabase();
  return contentsOf(database, api.blobsDir);
}

describe('what is used', () => {
  test('is what images have, once for all repositories and projects', async () => {
    const before = await usedIn(LOCAL);
    const layer = randomBytes(1000);
    const content = await pushImage(web, layer);
    const bytes = 2 + layer.length + content.length;
    expect(await usedIn(P)).toBe(bytes);
    await pushImage(`${web}/copy`, layer);
    expect(await usedIn(P)).toBe(bytes);
    await addProject(`${slug}-2`);
    await pushImage(`local/${slug}-2/web`, layer);
    expect(await usedIn(`${P}-2`)).toBe(bytes);
    expect(await usedIn(LOCAL)).toBe(before + bytes);
  });

  test('is less when an image is deleted: what no other of the repository has is too', async () => {
    const [base, first, second] = [randomBytes(1000), randomBytes(100), randomBytes(10)];
    const one = await pushImage(web, base, first);
    const other = await pushImage(web, base, second);
    const remove = async (content: string) => {
      const answer = await call('DELETE', `${web}/manifests/${digestOf(content)}`);
      expect(answer.status).toBe(202);
    };
    await remove(one);
    expect(await usedIn(P)).toBe(2 + base.length + second.length + other.length);
    expect((await call('HEAD', `${web}/blobs/${digestOf(first)}`)).status).toBe(404);
    expect((await call('HEAD', `${web}/blobs/${digestOf(base)}`)).status).toBe(200);
    await remove(other);
    expect(await usedIn(P)).toBe(0);
  });

  test('is what is being pushed, too, until it is there or given up', async () => {
    await limit(P, MIB);
    const bytes = randomBytes(1000);
    const upload = await open(web);
    expect((await call('PATCH', upload, bytes.subarray(0, 400))).status).toBe(202);
    expect(await usedIn(P)).toBe(400);
    expect((await call('PATCH', upload, stream(bytes.subarray(400)))).status).toBe(202);
    expect(await usedIn(P)).toBe(1000);
    expect((await call('PUT', `${upload}?digest=${digestOf(bytes)}`)).status).toBe(201);
    expect(await usedIn(P)).toBe(1000);

    const given = await open(web);
    await call('PATCH', given, randomBytes(300));
    expect(await usedIn(P)).toBe(1300);
    expect((await call('DELETE', given)).status).toBe(204);
    expect(await usedIn(P)).toBe(1000);

    const wrong = `${await open(web)}?digest=${digestOf('another')}`;
    expect((await call('PUT', wrong, bytes)).status).toBe(400);
    expect(await usedIn(P)).toBe(1000);
  });

  test('is not what a client that goes away leaves of a piece', async () => {
    await limit(P, MIB);
    const upload = await open(web);
    await call('PATCH', upload, randomBytes(100));
    const piece = request(`${api.registryUrl}${upload}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${api.token}`, 'content-length': 10_000 },
    });
    piece.on('error', () => {});
    piece.write(randomBytes(500));
    await vi.waitFor(async () => expect(await usedIn(P)).toBe(10_100), WITHIN);
    piece.destroy();
    await vi.waitFor(async () => expect(await usedIn(P)).toBe(100), WITHIN);
  });
});

function stream(bytes: Uint8Array<ArrayBuffer>): ReadableStream {
  return new Blob([bytes]).stream();
}

describe('what would be too much', () => {
  test('is denied, saying of what, whose, how much there may be and is, and what it needs', async () => {
    await pushed(web, randomBytes(600));
    await limit(P, 1000);
    const before = await contents();
    const refusal = await refusalOf(await push(web, randomBytes(500)));
    expect(refusal).toMatchObject({
      message: expect.stringMatching(
        /^The project may have 1000 bytes of images, and has 600; this needs 500 more\./,
      ),
      detail: { quota: 'imageBytes', of: 'project', limit: 1000, used: 600, requested: 500 },
    });
    expect(await contents()).toEqual(before);
    await pushed(web, randomBytes(400));
    await limit(P, null);
    await limit(LOCAL, await usedIn(LOCAL));
    const other = await refusalOf(await push(web, randomBytes(1)));
    expect(other).toMatchObject({ detail: { of: 'organization', requested: 1 } });
  });

  test('is not read when it says how long it is', async () => {
    await limit(P, 1000);
    const upload = await open(web);
    const piece = request(`${api.registryUrl}${upload}`, {
      method: 'PATCH',
      headers: {
        ...{ authorization: `Bearer ${api.token}`, 'content-length': '18446744073709551615' },
      },
    });
    piece.on('error', () => {});
    piece.flushHeaders();
    const status = await new Promise((resolve) => {
      piece.on('response', (response) => resolve(response.resume().statusCode));
    });
    piece.destroy();
    expect(status).toBe(403);
    expect((await call('GET', upload)).status).toBe(404);
  });

  test('is read no further than it is too much when it does not say how long it is', async () => {
    await limit(P, MIB);
    const upload = await open(web);
    let sent = 0;
    const endless = new ReadableStream({
      pull(controller) {
        sent += MIB;
        controller.enqueue(Buffer.alloc(MIB));
      },
    });
    await refusalOf(await call('PATCH', upload, endless));
    expect(sent).toBeLessThan(100 * MIB);
    expect((await call('GET', upload)).status).toBe(404);
    expect(await usedIn(P)).toBe(0);
  });

  test('is denied of a manifest, and of what another repository has already', async () => {
    const layer = randomBytes(1000);
    await pushImage(web, layer);
    await addProject(`${slug}-2`);
    const other = `local/${slug}-2/web`;
    await limit(`${P}-2`, 1000);
    const mount = (bytes: Uint8Array) =>
      call('POST', `${other}/blobs/uploads/?mount=${digestOf(bytes)}&from=${web}`);
    expect((await mount(layer)).status).toBe(201);
    await refusalOf(await mount(Buffer.from('{}')));
    await limit(`${P}-2`, 1002);
    expect((await mount(Buffer.from('{}'))).status).toBe(201);
    const content = image(layer);
    expect(await refusalOf(await putManifest(other, content))).toMatchObject({
      detail: { used: 1002, requested: content.length },
    });
    await limit(`${P}-2`, 1002 + content.length);
    expect((await putManifest(other, content)).status).toBe(201);
    expect((await putManifest(other, content)).status, 'once more').toBe(201);
  });

  test.each([
    ['that say how long they are', (bytes: Uint8Array<ArrayBuffer>) => bytes],
    ['that do not', stream],
  ])('of several pushes %s at a time, one gets the last place', async (_, bodyOf) => {
    await limit(P, 1500);
    const pushes = Array.from({ length: 8 }, async () => {
      const bytes = randomBytes(1000);
      const upload = await open(web);
      return (await call('PUT', `${upload}?digest=${digestOf(bytes)}`, bodyOf(bytes))).status;
    });
    const statuses = await Promise.all(pushes);
    expect(statuses.toSorted()).toEqual([201, ...Array(7).fill(403)]);
    expect(await usedIn(P)).toBe(1000);
  });
});

test('an organization that nobody limits may have as much as the platform’s environment says, and base images may be more', async () => {
  await using usual = await startTestApi({ QUOTA_IMAGE_BYTES: '100' });
  await expect(pushTestImage(usual, 'local/default/web', 'v1')).rejects.toThrow(/DENIED/);
  await pushTestImage(usual, 'library/base', 'v1');
});

describe('what nobody goes on with', () => {
  const from = (ms: number) => new Date(Date.now() + ms);

  async function stores() {
    const database = api.openDatabase();
    const audit = new AuditStore(database);
    const quotas = new QuotaStore(database, audit, {});
    const images = new ImageStore(database, audit, quotas);
    const blobs = await DirectoryBlobStore.at(api.blobsDir);
    const ids = new UploadIds(new Secret('any'));
    const uploads = new Uploads(ids, blobs, new UploadStore(database, quotas), images);
    return { images, blobs, uploads, [Symbol.asyncDispose]: () => database.close() };
  }

  test('does not count any more: blobs that no manifest names', async () => {
    const [layer, alone] = [randomBytes(1000), randomBytes(100)];
    const content = await pushImage(web, layer);
    await pushed(web, alone);
    await using opened = await stores();
    await opened.images.unlinkAbandoned(from(-60_000));
    expect(await usedIn(P)).toBe(2 + 1000 + 100 + content.length);
    await opened.images.unlinkAbandoned(from(60_000));
    expect(await usedIn(P)).toBe(2 + 1000 + content.length);
  });

  test('does not count any more: uploads, also those that a killed process has left', async () => {
    await limit(P, MIB);
    await using opened = await stores();
    const [left, other] = [await open(web), await open(web)];
    for (const upload of [left, other]) await call('PATCH', upload, randomBytes(100));
    await opened.blobs.cancel(left.split('/').at(-1) ?? '');
    await opened.uploads.cancelIdle(from(-60_000));
    expect(await usedIn(P)).toBe(200);
    const touched = join(api.blobsDir, 'uploads', other.split('/').at(-1) ?? '');
    await utimes(touched, from(60_000), from(60_000));
    await opened.uploads.cancelIdle(from(30_000));
    expect(await usedIn(P)).toBe(100);
    await opened.uploads.cancelIdle(from(90_000));
    expect(await usedIn(P)).toBe(0);
  });
});
