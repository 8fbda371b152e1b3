import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '@slipway/oci';
import { exec } from '@slipway/process';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { pidOf, platform, stateDir } from '../fixtures/platform.ts';
import { randomImage } from '../fixtures/random-image.ts';
import { registryTools } from '../fixtures/registry-tools.ts';

/* Layers that are large, and those whose push is killed, at either end. */

const MIB = 1024 * 1024;
const WITHIN = { timeout: 120_000 };

let folder: string;
let tools: Awaited<ReturnType<typeof registryTools>>;
beforeAll(async () => {
  tools = await registryTools(platform().registry, platform().token);
  folder = await mkdtemp(join(tmpdir(), 'slipway-uploads-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What the API's process takes at most while that is done, more than before. */
async function memoryTaken(work: () => Promise<unknown>): Promise<number> {
  const of = (field: string): number => {
    const status = readFileSync(`/proc/${pidOf('api')}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
  };
  writeFileSync(`/proc/${pidOf('api')}/clear_refs`, '5'); // its peak is what it has now
  const before = of('VmRSS');
  await work();
  return of('VmHWM') - before;
}

test('a layer of 300 MB is pushed and pulled without a place for it in the memory', async () => {
  const { at, copy } = tools;
  const [image, pulled] = [join(folder, 'large'), join(folder, 'pulled')];
  await randomImage(image, { count: 1, bytes: 300_000_000 });
  const push = await memoryTaken(() => copy(`dir:${image}`, at('local/default/large')));
  const pull = await memoryTaken(() => copy(at('local/default/large'), `dir:${pulled}`));
  expect(push).toBeLessThan(100 * MIB);
  expect(pull).toBeLessThan(100 * MIB);
});

const headers = { authorization: `Bearer ${platform().token}` };
const url = (path: string): string => `http://${platform().registry}${path}`;
const call = (method: string, path: string, body?: Buffer<ArrayBuffer>) =>
  fetch(url(path), { method, headers, ...(body === undefined ? {} : { body }) });
const filesOfUploads = (): string[] => globSync(join(stateDir(), 'blobs/uploads/*'));

test('an upload goes on where it was when the registry was killed', async () => {
  const bytes = randomBytes(20 * MIB);
  const opened = await call('POST', '/v2/local/default/killed/blobs/uploads/');
  const location = opened.headers.get('location') ?? '';
  const first = await call('PATCH', location, bytes.subarray(0, 5 * MIB));
  expect(first.headers.get('range')).toBe(`0-${5 * MIB - 1}`);

  const second = request(url(location), { method: 'PATCH', headers });
  second.on('error', () => {});
  second.write(bytes.subarray(5 * MIB, 12 * MIB));
  const file = filesOfUploads().find((path) => location.endsWith(path.split('/').at(-1) ?? ''));
  await vi.waitFor(() => expect(statSync(file ?? '').size).toBeGreaterThan(6 * MIB), WITHIN);
  process.kill(pidOf('api'), 'SIGKILL');

  const status = await vi.waitFor(() => call('GET', location), WITHIN);
  expect(status.status).toBe(204);
  const arrived = 1 + Number(/^0-(\d+)$/.exec(status.headers.get('range') ?? '')?.[1]);
  expect(arrived).toBeGreaterThan(6 * MIB);
  const digest = digestOf(bytes);
  const last = await call('PUT', `${location}?digest=${digest}`, bytes.subarray(arrived));
  expect(last.status).toBe(201);
  const pulled = await call('GET', last.headers.get('location') ?? '');
  expect(digestOf(Buffer.from(await pulled.arrayBuffer()))).toBe(digest);
  expect(filesOfUploads()).not.toContain(file);
});

test('a push whose client was killed leaves no bytes, and succeeds when it is done again', async () => {
  const image = join(folder, 'again');
  await randomImage(image, { count: 1, bytes: 100_000_000 });
  const before = filesOfUploads();
  const copied = tools.copying(`dir:${image}`, tools.at('local/default/again'));
  const client = spawn(copied.program, copied.args);
  const sizes = (): number[] =>
    filesOfUploads()
      .filter((file) => !before.includes(file))
      .map((file) => statSync(file).size);
  await vi.waitFor(() => expect(Math.max(...sizes())).toBeGreaterThan(MIB), {
    ...WITHIN,
    interval: 1,
  });
  client.kill('SIGKILL');
  await once(client, 'exit');
  await vi.waitFor(() => expect(sizes()).toEqual([0]), WITHIN);
  await exec(copied.program, copied.args);
  expect(sizes()).toEqual([0]);
});
