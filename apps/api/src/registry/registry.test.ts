import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { digestOf, MEDIA_TYPES } from '@slipway/oci';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';

const run = promisify(execFile);
const MIB = 1024 * 1024;

let api: TestApi;
let acme: { token: string };
beforeAll(async () => {
  api = await startTestApi();
  acme = await api.addTenant('acme');
});
afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
});

/** a repository of each test's own */
let name: string;
beforeEach(() => {
  name = `local/default/${randomBytes(4).toString('hex')}`;
});

interface Options {
  body?: string | Uint8Array<ArrayBuffer> | ReadableStream;
  headers?: Record<string, string>;
  token?: string | null;
}

function call(method: string, path: string, options: Options = {}): Promise<Response> {
  const token = options.token === undefined ? api.token : options.token;
  return fetch(new URL(path, api.registryUrl), {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...options.headers,
    },
    ...(options.body === undefined ? {} : { body: options.body, duplex: 'half' }),
  });
}

async function codeOf(answer: Response): Promise<string> {
  const { errors } = (await answer.json()) as { errors: { code: string }[] };
  return `${answer.status} ${errors[0]?.code}`;
}

async function pushBlob(repository: string, bytes: Uint8Array<ArrayBuffer>, token?: string) {
  const digest = digestOf(bytes);
  const options = token === undefined ? {} : { token };
  const answer = await call('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, {
    body: bytes,
    ...options,
  });
  expect(answer.status).toBe(201);
  return { digest, size: bytes.length };
}

async function pushImage(repository: string, tag: string, token?: string): Promise<string> {
  const config = await pushBlob(repository, Buffer.from('{}'), token);
  const layer = await pushBlob(repository, randomBytes(1000), token);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.manifest,
    config: { mediaType: MEDIA_TYPES.config, ...config },
    layers: [{ mediaType: MEDIA_TYPES.layer, ...layer }],
  });
  const answer = await call('PUT', `/v2/${repository}/manifests/${tag}`, {
    body: manifest,
    headers: { 'content-type': MEDIA_TYPES.manifest },
    ...(token === undefined ? {} : { token }),
  });
  expect(answer.status).toBe(201);
  expect(answer.headers.get('docker-content-digest')).toBe(digestOf(manifest));
  return digestOf(manifest);
}

test('an image is pushed and pulled by its tag and its digest, byte by byte', async () => {
  const digest = await pushImage(name, 'v1');
  const byTag = await call('GET', `/v2/${name}/manifests/v1`);
  expect(byTag.headers.get('content-type')).toBe(MEDIA_TYPES.manifest);
  const text = await byTag.text();
  expect(digestOf(text)).toBe(digest);
  const byDigest = await call('GET', `/v2/${name}/manifests/${digest}`);
  expect(await byDigest.text()).toBe(text);
  const head = await call('HEAD', `/v2/${name}/manifests/v1`);
  expect(head.headers.get('content-length')).toBe(String(text.length));

  const layer = JSON.parse(text).layers[0];
  const blob = await call('GET', `/v2/${name}/blobs/${layer.digest}`);
  expect(digestOf(new Uint8Array(await blob.arrayBuffer()))).toBe(layer.digest);
});

test('layers are pushed side by side, also as the first of their repository', async () => {
  await Promise.all([1, 2, 3, 4, 5, 6].map(() => pushBlob(name, randomBytes(1000))));
});

test('the same image is pushed by several at once, and a tag ends at one of them', async () => {
  const digest = await pushImage(name, 'first');
  const { content, type } = await call('GET', `/v2/${name}/manifests/first`).then(async (got) => ({
    content: await got.text(),
    type: got.headers.get('content-type') ?? '',
  }));
  const target = `${name}/copy`;
  const { config, layers } = JSON.parse(content);
  for (const blob of [config, ...layers]) {
    await call('POST', `/v2/${target}/blobs/uploads/?mount=${blob.digest}&from=${name}`);
  }
  const pushes = await Promise.all(
    [1, 2, 3, 4, 5, 6, 7, 8].map(() =>
      call('PUT', `/v2/${target}/manifests/v1`, {
        body: content,
        headers: { 'content-type': type },
      }),
    ),
  );
  expect(new Set(pushes.map(({ status }) => status))).toEqual(new Set([201]));
  const tagged = await call('HEAD', `/v2/${target}/manifests/v1`);
  expect(tagged.headers.get('docker-content-digest')).toBe(digest);
});

test('a blob arrives in pieces; each answer says where it stands', async () => {
  const bytes = randomBytes(100_000);
  const opened = await call('POST', `/v2/${name}/blobs/uploads/`);
  expect(opened.status).toBe(202);
  const location = opened.headers.get('location') ?? '';
  const first = await call('PATCH', location, {
    body: bytes.subarray(0, 40_000),
    headers: { 'content-range': '0-39999' },
  });
  expect(first.headers.get('range')).toBe('0-39999');
  const gap = await call('PATCH', location, {
    body: bytes.subarray(50_000),
    headers: { 'content-range': '50000-99999' },
  });
  expect(gap.status).toBe(416);
  expect(gap.headers.get('range')).toBe('0-39999');
  const status = await call('GET', location);
  expect([status.status, status.headers.get('range')]).toEqual([204, '0-39999']);
  const digest = digestOf(bytes);
  const last = await call('PUT', `${location}?digest=${digest}`, { body: bytes.subarray(40_000) });
  expect(last.status).toBe(201);
  const blob = await call('GET', last.headers.get('location') ?? '');
  expect(Buffer.from(await blob.arrayBuffer())).toEqual(bytes);
  expect((await call('GET', location)).status).toBe(404);
});

test('a range of a blob is a part of it; one behind its end is 416', async () => {
  const bytes = randomBytes(1000);
  const { digest } = await pushBlob(name, bytes);
  const get = (range: string) => call('GET', `/v2/${name}/blobs/${digest}`, { headers: { range } });
  const middle = await get('bytes=10-19');
  expect(middle.status).toBe(206);
  expect(middle.headers.get('content-range')).toBe('bytes 10-19/1000');
  expect(Buffer.from(await middle.arrayBuffer())).toEqual(bytes.subarray(10, 20));
  expect(Buffer.from(await (await get('bytes=-5')).arrayBuffer())).toEqual(bytes.subarray(995));
  expect(Buffer.from(await (await get('bytes=990-')).arrayBuffer())).toEqual(bytes.subarray(990));
  expect((await get('bytes=1000-')).status).toBe(416);
  expect((await get('bytes=9-5')).status).toBe(200);
});

test('what an image names has to be in its repository; what it names stays', async () => {
  const config = await pushBlob(name, Buffer.from('{}'));
  const elsewhere = await pushBlob(`${name}/other`, Buffer.from('elsewhere'));
  const manifest = (layer: { digest: string; size: number }) =>
    JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: MEDIA_TYPES.config, ...config },
      layers: [{ mediaType: MEDIA_TYPES.layer, ...layer }],
    });
  const put = (body: string, reference = 'v1', type: string = MEDIA_TYPES.manifest) =>
    call('PUT', `/v2/${name}/manifests/${reference}`, { body, headers: { 'content-type': type } });
  expect(await codeOf(await put(manifest(elsewhere)))).toBe('400 MANIFEST_BLOB_UNKNOWN');
  expect((await call('HEAD', `/v2/${name}/manifests/v1`)).status).toBe(404);

  const mount = `/v2/${name}/blobs/uploads/?mount=${elsewhere.digest}&from=${name}/other`;
  expect((await call('POST', mount)).status).toBe(201);
  expect((await put(manifest(elsewhere))).status).toBe(201);
  const digest = digestOf(manifest(elsewhere));
  const remove = (path: string) => call('DELETE', `/v2/${name}/${path}`);
  expect(await codeOf(await remove(`blobs/${config.digest}`))).toBe('409 DENIED');

  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.index,
    manifests: [
      {
        mediaType: MEDIA_TYPES.manifest,
        digest,
        size: 1,
        platform: { os: 'linux', architecture: 'amd64' },
      },
    ],
  });
  expect((await put(index, 'all', MEDIA_TYPES.index)).status).toBe(201);
  expect(await codeOf(await remove(`manifests/${digest}`))).toBe('409 DENIED');
  expect((await remove('manifests/all')).status).toBe(202);
  expect((await remove(`manifests/${digestOf(index)}`)).status).toBe(202);
  expect((await remove(`manifests/${digest}`)).status).toBe(202);
  expect((await call('HEAD', `/v2/${name}/manifests/v1`)).status).toBe(404);
  expect(await codeOf(await remove(`blobs/${config.digest}`)), 'no other has it').toBe(
    '404 BLOB_UNKNOWN',
  );
  const alone = await pushBlob(name, randomBytes(10));
  expect((await remove(`blobs/${alone.digest}`)).status).toBe(202);
});

test('tags are listed in pages', async () => {
  for (const tag of ['b', 'a', 'C']) await pushImage(name, tag);
  const first = await call('GET', `/v2/${name}/tags/list?n=2`);
  expect(await first.json()).toEqual({ name, tags: ['C', 'a'] });
  const next = /^<(.+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
  const second = await call('GET', next);
  expect(await second.json()).toEqual({ name, tags: ['b'] });
  expect(second.headers.get('link')).toBeNull();
});

test('what is wrong is said in the registry’s own form', async () => {
  await pushBlob(name, Buffer.from('there is such a repository'));
  const manifests = `/v2/${name}/manifests`;
  const put = (reference: string, body: string, type: string = MEDIA_TYPES.manifest) =>
    call('PUT', `${manifests}/${reference}`, { body, headers: { 'content-type': type } });
  const wrong = digestOf('wrong');
  const cases: [Promise<Response>, string][] = [
    [put('v1', 'not JSON'), '400 MANIFEST_INVALID'],
    [put('v1', '{"schemaVersion":1}'), '400 MANIFEST_INVALID'],
    [put('v1', '{}', 'text/plain'), '400 MANIFEST_INVALID'],
    [put(wrong, '{}'), '400 DIGEST_INVALID'],
    [put('v1', 'x'.repeat(4 * 1024 * 1024 + 1)), '413 SIZE_INVALID'],
    [call('GET', '/v2/UPPER/default/x/manifests/v1'), '400 NAME_INVALID'],
    [call('GET', `/v2/local/default/../acme/manifests/v1`), '404 NAME_UNKNOWN'],
    [call('GET', `/v2/local/default/%2e%2e/acme/manifests/v1`), '404 NAME_UNKNOWN'],
    [call('GET', `/v2/${name}%ff/manifests/v1`), '400 UNSUPPORTED'],
    [call('GET', `/v2/${name}/blobs/sha512:abc`), '400 DIGEST_INVALID'],
    [call('GET', `/v2/${name}/manifests/-bad`), '400 MANIFEST_INVALID'],
    [
      call('POST', `/v2/${name}/blobs/uploads/?digest=${wrong}`, { body: 'x' }),
      '400 DIGEST_INVALID',
    ],
    [call('PUT', `/v2/${name}/blobs/uploads/upl_none?digest=${wrong}`), '404 BLOB_UPLOAD_UNKNOWN'],
    [call('PUT', `/v2/${name}/blobs/${wrong}`), '405 UNSUPPORTED'],
    [call('GET', '/v1/health'), '404 UNSUPPORTED'],
  ];
  for (const [answer, expected] of cases) expect(await codeOf(await answer)).toBe(expected);
});

test('without a key the registry says where to get a token, which is good for what was asked', async () => {
  const anonymous = await call('GET', '/v2/', { token: null });
  expect(await codeOf(anonymous)).toBe('401 UNAUTHORIZED');
  const realm = /realm="([^"]+)"/.exec(anonymous.headers.get('www-authenticate') ?? '')?.[1] ?? '';
  expect(realm).toBe(`${api.registryUrl}/token`);
  await pushImage(name, 'v1');
  await pushImage(`${name}/other`, 'v1');
  const wishes = [`repository:${name}:pull`, 'repository:acme/web/app:pull,push'];
  const query = new URLSearchParams(wishes.map((scope): [string, string] => ['scope', scope]));
  const password = (key: string) => ({
    token: null,
    headers: { authorization: `Basic ${btoa(`anyone:${key}`)}` },
  });
  expect((await call('GET', `${realm}?${query}`, password(`${api.token}x`))).status).toBe(401);
  const issued = await call('GET', `${realm}?${query}`, password(api.token));
  const { token } = (await issued.json()) as { token: string };
  expect((await call('GET', `/v2/${name}/manifests/v1`, { token })).status).toBe(200);
  for (const [method, path] of [
    ['GET', `/v2/${name}/other/manifests/v1`],
    ['DELETE', `/v2/${name}/manifests/v1`],
  ] as const) {
    const refused = await call(method, path, { token });
    expect([path, await codeOf(refused)]).toEqual([path, '401 UNAUTHORIZED']);
    expect(refused.headers.get('www-authenticate')).toContain('scope="repository:');
  }
  const foreign = await call('GET', '/v2/acme/web/app/manifests/v1', { token });
  expect(await codeOf(foreign)).toBe('404 NAME_UNKNOWN');
  expect((await call('GET', '/v2/', { token: `${token}x` })).status).toBe(401);
});

test('another tenant’s blob is not mounted', async () => {
  await pushImage('acme/web/app', 'v1', acme.token);
  const config = digestOf('{}');
  const mount = `/v2/${name}/blobs/uploads/?mount=${config}&from=acme/web/app`;
  expect((await call('POST', mount)).status).toBe(202);
  expect(await codeOf(await call('GET', `/v2/${name}/blobs/${config}`))).toBe('404 BLOB_UNKNOWN');
  expect((await call('HEAD', `/v2/acme/web/app/blobs/${config}`, acme)).status).toBe(200);
});

test('only a push makes a repository', async () => {
  const digest = digestOf('x');
  const paths = [`blobs/${digest}`, `manifests/${digest}`, 'manifests/v1', 'blobs/uploads/upl_x'];
  for (const path of paths) {
    const answer = await call('DELETE', `/v2/${name}/${path}`);
    expect(await codeOf(answer)).toBe('404 NAME_UNKNOWN');
  }
  expect(await codeOf(await call('GET', `/v2/${name}/tags/list`))).toBe('404 NAME_UNKNOWN');
});

test('a blob that another repository has is not readable here by its digest', async () => {
  const bytes = randomBytes(100);
  const { digest } = await pushBlob('acme/web/secret', bytes, acme.token);
  await pushImage(name, 'v1');
  expect(await codeOf(await call('GET', `/v2/${name}/blobs/${digest}`))).toBe('404 BLOB_UNKNOWN');
});

test('base images are pushed by the operator and pulled by everybody', async () => {
  await pushImage('library/base', 'latest');
  expect((await call('GET', '/v2/library/base/manifests/latest', acme)).status).toBe(200);
  const push = await call('POST', '/v2/library/base/blobs/uploads/', acme);
  expect(await codeOf(push)).toBe('403 DENIED');
});

test('a client that goes away in the middle of a blob leaves nothing of it', async () => {
  const opened = await call('POST', `/v2/${name}/blobs/uploads/`);
  const location = opened.headers.get('location') ?? '';
  const { hostname, port } = new URL(api.registryUrl);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.write(
    `PATCH ${location} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.token}\r\nContent-Length: 1000000\r\n\r\n`,
  );
  socket.write(Buffer.alloc(500_000));
  const uploads = join(api.blobsDir, 'uploads');
  const others = readdirSync(uploads).length - 1;
  const [id = ''] = readdirSync(uploads).filter((file) => location.endsWith(file));
  const size = async () => (await call('GET', location)).headers.get('range');
  await vi.waitFor(async () => expect(await size()).not.toBe('0-0'), { timeout: 20_000 });
  socket.destroy();
  await vi.waitFor(async () => expect(await size()).toBe('0-0'), { timeout: 20_000 });
  expect((await call('DELETE', location)).status).toBe(204);
  expect(readdirSync(uploads)).not.toContain(id);

  const whole = connect(Number(port), hostname);
  whole.on('error', () => {});
  whole.write(
    `POST /v2/${name}/blobs/uploads/?digest=${digestOf('x')} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.token}\r\nContent-Length: 1000000\r\n\r\n`,
  );
  whole.write(Buffer.alloc(500_000));
  await vi.waitFor(() => expect(readdirSync(uploads)).toHaveLength(others + 1), {
    timeout: 20_000,
  });
  whole.destroy();
  await vi.waitFor(() => expect(readdirSync(uploads)).toHaveLength(others), { timeout: 20_000 });
});

test('a client that goes away in the middle of a pull leaves no file open', async () => {
  const { digest } = await pushBlob(name, randomBytes(16 * MIB));
  const openFiles = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).endsWith(digest.slice('sha256:'.length));
      } catch {
        return false; // closed meanwhile
      }
    });
  const pulled = await call('GET', `/v2/${name}/blobs/${digest}`);
  const reader = pulled.body?.getReader();
  expect((await reader?.read())?.done).toBe(false);
  expect(openFiles()).toHaveLength(1);
  await reader?.cancel();
  await vi.waitFor(() => expect(openFiles()).toEqual([]), { timeout: 20_000 });
});

test('a pull of a blob that the disk has lost a part of breaks off', async () => {
  const { digest } = await pushBlob(name, randomBytes(2 * MIB));
  const hex = digest.slice('sha256:'.length);
  await truncate(join(api.blobsDir, 'sha256', hex.slice(0, 2), hex), MIB);
  const pulled = await call('GET', `/v2/${name}/blobs/${digest}`);
  await expect(pulled.arrayBuffer()).rejects.toThrow('terminated');
});

test('a full disk is told to who pushes, and what is there can be pulled', async () => {
  const disk = await mkdtemp(join(tmpdir(), 'slipway-disk-'));
  await run('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'slipway-test', disk]);
  try {
    await using full = await startTestApi({ BLOBS_DIR: disk });
    const push = (bytes: Uint8Array<ArrayBuffer>) =>
      fetch(`${full.registryUrl}/v2/${name}/blobs/uploads/?digest=${digestOf(bytes)}`, {
        ...{ method: 'POST', headers: { authorization: `Bearer ${full.token}` }, body: bytes },
      });
    const small = await push(randomBytes(MIB));
    expect(small.status).toBe(201);
    const large = await push(randomBytes(16 * MIB));
    expect([large.status, await large.json()]).toMatchObject([
      507,
      { errors: [{ message: 'The platform has no disk space left for this.' }] },
    ]);
    expect(readdirSync(join(disk, 'uploads'))).toEqual([]);
    const pulled = await fetch(`${full.registryUrl}${small.headers.get('location')}`, {
      headers: { authorization: `Bearer ${full.token}` },
    });
    expect((await pulled.arrayBuffer()).byteLength).toBe(MIB);
  } finally {
    await run('umount', [disk]);
    await rm(disk, { recursive: true });
  }
});
