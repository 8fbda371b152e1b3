import { rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createSlipway } from '@slipway/client';
import { type Endpoints, startThrowawayPostgres } from '@slipway/infra';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Checkout } from '../fixtures/checkout.ts';
import { leftoversOf } from '../fixtures/leftovers.ts';
import { killEverythingOf, PARTS, requireUp } from '../fixtures/up.ts';

/* Instances beside and after each other on one machine, and parts of one that end. */

const WAIT = { timeout: 120_000, interval: 50 };

let one: Checkout;
let other: Checkout;
let postgres: Awaited<ReturnType<typeof startThrowawayPostgres>>;
beforeAll(async () => {
  const checkouts = Promise.all([Checkout.create('one'), Checkout.create('other')]);
  [postgres, [one, other]] = await Promise.all([startThrowawayPostgres(), checkouts]);
});
afterAll(async () => {
  await one?.[Symbol.asyncDispose]();
  await other?.[Symbol.asyncDispose]();
  await postgres?.[Symbol.asyncDispose]();
});

/** `one` has a PostgreSQL of its own, `other` is given one. */
async function start(checkout: Checkout): Promise<string> {
  const env = checkout === other ? { DATABASE_URL: postgres.url } : {};
  const { code, output } = await checkout.npmWith(env, 'start', '--', '--detach');
  expect(code, output).toBe(0);
  expect(output).not.toContain('✘'); // what it says of its sample, too
  return output;
}

async function stop(checkout: Checkout): Promise<void> {
  expect(await checkout.npm('stop')).toMatchObject({ code: 0 });
  expect(await leftoversOf(checkout.instance)).toEqual([]);
}

function portsOf({ api, edge, registry }: Endpoints): number[] {
  return [api, edge, `http://${registry}`].map((url) => Number(new URL(url).port));
}

test('two run side by side, and either can be stopped without the other', async () => {
  await Promise.all([start(one), start(other)]);
  const ports = [await requireUp(one), await requireUp(other)].flatMap(portsOf);
  expect(new Set(ports).size).toBe(6);
  expect((await one.processes()).map(({ name }) => name)).toContain('postgres');
  expect((await other.processes()).map(({ name }) => name)).not.toContain('postgres');
  await stop(one);
  const kept = await requireUp(other);
  await start(one);
  expect(await requireUp(other)).toEqual(kept);
  await stop(other);
  await requireUp(one);
});

/** Where a file keeps a part from starting: in the place of its data or its program. */
const NEEDED: Record<(typeof PARTS)[number], string> = {
  postgres: '.slipway/postgres',
  redis: '.slipway/redis',
  containerd: '.slipway/containerd',
  logs: 'apps/agent/dist/logs.mjs',
  api: 'apps/api/dist/main.mjs',
  agent: 'apps/agent/dist/main.mjs',
  edge: 'apps/edge/dist/main.mjs',
};

test.for(PARTS)('%s killed alone comes back, and /v1/health names it meanwhile', async (part) => {
  const { api } = await requireUp(one);
  const health = async () => (await createSlipway(api).GET('/v1/health')).error;
  const path = join(one.folder, NEEDED[part]);
  await rename(path, `${path}.away`);
  await writeFile(path, '');
  const killed = (await one.processes()).find(({ name }) => name === part);
  process.kill(killed?.pid ?? 0, 'SIGKILL');
  if (part === 'api') await vi.waitFor(() => expect(health()).rejects.toThrow(), WAIT);
  else {
    const degraded = { status: 'degraded', parts: expect.objectContaining({ [part]: 'down' }) };
    await vi.waitFor(async () => expect(await health()).toEqual(degraded), WAIT);
  }
  const status = await one.npm('run', 'status');
  expect(status).toMatchObject({
    code: 1,
    output: expect.stringMatching(new RegExp(`${part} +down +see \\.slipway/logs/${part}\\.log`)),
  });
  await rm(path);
  await rename(`${path}.away`, path);
  await vi.waitFor(() => requireUp(one), WAIT);
  expect(await one.npm('run', 'status')).toMatchObject({ code: 0 });
});

test('all parts killed at once come back', async () => {
  const [supervisor, ...parts] = await one.processes();
  expect(supervisor?.name).toBe('supervisor');
  for (const { pid } of parts) process.kill(pid, 'SIGKILL');
  await vi.waitFor(async () => {
    await requireUp(one);
    const now = new Set((await one.processes()).map(({ pid }) => pid));
    expect(parts.filter(({ pid }) => now.has(pid))).toEqual([]);
  }, WAIT);
});

test('what was killed is cleared by a start in another folder', async () => {
  await killEverythingOf(one);
  expect(await leftoversOf(one.instance)).not.toEqual([]);
  expect(await start(other)).toContain(`of ${one.folder}`);
  expect(await leftoversOf(one.instance)).toEqual([]);
  await requireUp(other);
  await stop(other);
});

test('where its ports are taken it has others', async () => {
  const { ports } = (await other.read('claim.json')) as { ports: Record<string, number> };
  const before = Object.values(ports);
  const servers = await Promise.all(before.map(occupy));
  await start(other);
  const now = portsOf(await requireUp(other));
  expect(now.filter((port) => before.includes(port))).toEqual([]);
  for (const server of servers) server.close();
});

function occupy(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((done) => server.listen(port, '127.0.0.1', () => done(server)));
}

test('a checkout that is moved while it runs goes on where it is', async () => {
  const before = await requireUp(other);
  const there = other.instance;
  await other.move('moved');
  await start(other);
  const { token, sampleUrl } = await requireUp(other);
  expect({ token, sampleUrl }).toEqual({ token: before.token, sampleUrl: before.sampleUrl });
  expect(await leftoversOf(there)).toEqual([]);
});

test('one whose folder is deleted while it runs ends', async () => {
  const { instance } = other;
  await rm(other.folder, { recursive: true, maxRetries: 10 }); // it writes meanwhile
  await vi.waitFor(async () => expect(await leftoversOf(instance)).toEqual([]), WAIT);
});
