import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { createSlipway } from '@slipway/client';
import { openDatabase } from '@slipway/db';
import { instanceOf, postgresUrl } from '@slipway/infra';
import { expect, inject, test, vi } from 'vitest';
import { programs } from '../fixtures/agreement.ts';
import { buildTraces } from '../fixtures/build-traces.ts';
import { buildsIn } from '../fixtures/builds.ts';
import { containersIn } from '../fixtures/containers.ts';
import { freshImage } from '../fixtures/fresh-image.ts';
import { killParts, otherProject, platform } from '../fixtures/platform.ts';
import { servicesIn } from '../fixtures/services.ts';

const WITHIN = { timeout: 120_000, interval: 200 };
const MEASURE_EVERY_MS = 20;
const IS_V1 = existsSync('/sys/fs/cgroup/memory');

/** What cgroups have used, by somebody who looks often and is not killed. */
class Measured implements Disposable {
  readonly #cpuSeconds = new Map<string, number>();
  readonly #memory = new Map<string, { at: number; bytes: number }[]>();
  readonly #pattern: string;
  readonly #timer = setInterval(() => this.#measure(), MEASURE_EVERY_MS);

  /** @param pattern of their paths below `/slipway-<instance>` */
  constructor(pattern: string) {
    this.#pattern = `/slipway-${instanceOf(inject('checkoutFolder')).id}${pattern}`;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  get cpuSeconds(): number {
    return sumOf(this.#cpuSeconds.values());
  }

  get count(): number {
    return this.#memory.size;
  }

  /** What memory was measured last. */
  get bytes(): number {
    return [...this.#memory.values()].at(-1)?.at(-1)?.bytes ?? 0;
  }

  /** Of the time that programs ran: there are cgroups before and after it. */
  memoryByteSeconds(startedAt = 0, finishedAt = Number.POSITIVE_INFINITY): number {
    const parts = [...this.#memory.values()].map((memory) =>
      memory.slice(1).reduce((sum, { at, bytes }, index) => {
        const before = memory[index] ?? { at, bytes };
        const ms = Math.min(at, finishedAt) - Math.max(before.at, startedAt);
        return sum + (Math.max(ms, 0) / 1_000) * ((before.bytes + bytes) / 2);
      }, 0),
    );
    return sumOf(parts);
  }

  #measure(): void {
    const root = IS_V1 ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup';
    for (const folder of globSync(root + this.#pattern)) {
      try {
        this.#measureOne(folder.slice(root.length));
      } catch {
        // not there any more
      }
    }
  }

  #measureOne(path: string): void {
    const read = (controller: string, name: string): string => {
      const folder = IS_V1 ? `/sys/fs/cgroup/${controller}` : '/sys/fs/cgroup';
      return readFileSync(`${folder}${path}/${name}`, 'utf8');
    };
    const cpuSeconds = IS_V1
      ? Number(read('cpuacct', 'cpuacct.usage')) / 1e9
      : Number(/^usage_usec (\d+)$/m.exec(read('cpu', 'cpu.stat'))?.[1]) / 1e6;
    this.#cpuSeconds.set(path, cpuSeconds);
    const stat = read('memory', 'memory.stat');
    const inactive = Number(/^(?:total_)?inactive_file (\d+)$/m.exec(stat)?.[1]);
    const all = read('memory', IS_V1 ? 'memory.usage_in_bytes' : 'memory.current');
    const memory = this.#memory.get(path) ?? [];
    memory.push({ at: Date.now(), bytes: Number(all) - inactive });
    this.#memory.set(path, memory);
  }
}

const sumOf = (numbers: Iterable<number>): number => [...numbers].reduce((sum, n) => sum + n, 0);

async function usedIn(project: Awaited<ReturnType<typeof otherProject>>) {
  const slipway = createSlipway(project.api, { token: project.token });
  const { data } = await slipway.GET('/v1/organizations/{organization}/usage', {
    params: { path: project },
  });
  const nothing = { cpuSeconds: 0, memoryByteSeconds: 0, storedByteSeconds: 0, servedBytes: 0 };
  return data?.projects[0] ?? nothing;
}

/** A container in an organization of its own, and what somebody else measures of it. */
async function metered(name: string, script: string) {
  const project = await otherProject(name);
  const containers = containersIn(project);
  const made = await containers.create({ command: ['sh', '-c', script], start: false });
  const measured = new Measured(`/${made.engineId}`);
  await containers.start(made);
  const { startedAt } = await containers.wait(made, 'running');

  const used = () => usedIn(project);
  return {
    ...{ made, containers, used },
    /** What it has used up to now: there are reports of later. */
    async isReported(): Promise<void> {
      for (const _ of ['under way already', 'of later']) {
        const { memoryByteSeconds: before } = await used();
        const isMore = async () => expect((await used()).memoryByteSeconds).toBeGreaterThan(before);
        await vi.waitFor(isMore, WITHIN);
      }
    },
    isRemoved: () =>
      vi.waitFor(async () => {
        const { state } = (await containers.get(made)) ?? { state: 'removed' };
        expect(state).toBe('removed');
      }, WITHIN),
    /** It has ended. */
    async usedAsMeasured(): Promise<void> {
      const { finishedAt } = (await containers.get(made)) ?? {};
      const memory = measured.memoryByteSeconds(
        Date.parse(startedAt ?? ''),
        finishedAt ? Date.parse(finishedAt) : undefined,
      );
      await vi.waitFor(async () => {
        const { cpuSeconds, memoryByteSeconds } = await used();
        const parts = [cpuSeconds / measured.cpuSeconds, memoryByteSeconds / memory];
        for (const part of parts) expect(Math.abs(part - 1), `${name} ${parts}`).toBeLessThan(0.01);
      }, WITHIN);
      measured[Symbol.dispose]();
      await containers.remove(made);
    },
  };
}

/** Holds more memory, and is busy. @param size as `head` has it */
const grow = (size: string): string => `n=$((n + 1)); head -c ${size} /dev/zero > /dev/shm/$n
  i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; sleep 0.2`;
const GROWN = `n=0; while [ $n -lt 20 ]; do ${grow('2m')}; done; echo grown`;

test('usage is what cgroups say, within 1 %, whatever is killed meanwhile', async () => {
  const grows = await metered(
    'grows',
    `trap isOver=1 HUP; while [ -z "$isOver" ]; do ${grow('512k')}; done; sleep 2`,
  );
  const leaves = await metered('leaves', `trap 'exit 0' HUP; ${GROWN}; sleep 3600 & wait`);
  const removed = await metered('removed', `${GROWN}; sleep 3600`);
  for (const { made, containers, isReported } of [leaves, removed]) {
    await containers.untilItSays(made, 'grown');
    await isReported();
  }
  const pids = await programs();
  const hangUp = ({ made }: typeof grows) => process.kill(pids.get(made.engineId) ?? 0, 'SIGHUP');

  const killed = killParts('agent');
  hangUp(leaves);
  await removed.containers.remove(removed.made);
  await killed;
  expect(await leaves.containers.ended(leaves.made)).toMatchObject({ exitCode: 0 });
  await removed.isRemoved();
  await grows.isReported();

  await killParts('agent', 'api', 'postgres', 'containerd', 'redis');
  await grows.isReported();
  hangUp(grows);
  expect(await grows.containers.ended(grows.made)).toMatchObject({ exitCode: 0 });

  for (const run of [grows, leaves, removed]) await run.usedAsMeasured();
});

test('usage is what cgroups of builds say, but for about a second’s memory of those that are killed', async () => {
  const project = await otherProject('builder');
  const { build, wait } = buildsIn(project);
  using sandboxes = new Measured('-builds/*/sandbox');
  using measured = new Measured('-builds/*-{build,push}-*');
  const hold = 'head -c 60m /dev/zero > /dev/shm/held';
  const burn = 'i=0; while [ $i -lt 3000000 ]; do i=$((i + 1)); done';
  const made = await build('burns', {
    Dockerfile: `FROM busybox\nRUN ${hold}; ${burn}; sleep 1; rm /dev/shm/held`,
  });
  await vi.waitFor(() => expect(sandboxes.cpuSeconds).toBeGreaterThan(5), WITHIN);
  expect((await usedIn(project)).cpuSeconds).toBeGreaterThan(0);
  const held = sandboxes.bytes;
  await killParts('agent');
  expect(await wait(made)).toMatchObject({ state: 'succeeded' });
  expect(measured.count, 'attempts, and what pushed').toBe(3);
  await vi.waitFor(async () => {
    const used = await usedIn(project);
    const memory = sandboxes.memoryByteSeconds();
    expect(Math.abs(used.cpuSeconds / measured.cpuSeconds - 1)).toBeLessThan(0.01);
    const tolerance = memory * 0.01 + 2 * held;
    expect(Math.abs(used.memoryByteSeconds - memory)).toBeLessThan(tolerance);
  }, WITHIN);
  await expect.poll(buildTraces, WITHIN).toEqual([]);
});

/** Resolves when what they held up to then is counted. */
async function imagesAreCounted(atMs: number): Promise<void> {
  const database = openDatabase(postgresUrl(instanceOf(inject('checkoutFolder'))));
  try {
    await vi.waitFor(async () => {
      const { until } = await database.prisma.storedUntil.findFirstOrThrow();
      expect(until.getTime()).toBeGreaterThan(atMs);
    }, WITHIN);
  } finally {
    await database.close();
  }
}

/** Answers with as many bytes as its path says, or drips them without an end. */
const SERVES = [
  ...['node', '-e'],
  `require('http').createServer(({ url }, answer) => {
    if (url !== '/drip') return answer.end(Buffer.alloc(Number(url.slice(1))));
    const drip = setInterval(() => answer.write(Buffer.alloc(5_000)), 20);
    answer.on('close', () => clearInterval(drip));
  }).listen(process.env.PORT)`,
];

/** What clients of a service get: as `SERVES` does. */
class Clients {
  bytes = 0;
  readonly #service: string;

  constructor(service: string) {
    this.#service = service;
  }

  get(bytes: number): Promise<void> {
    return this.#read(String(bytes));
  }

  /**
   * Resolves when it drips for a second: an edge that is killed then loses a bit of that.
   * @returns ends it; it may end before, where an edge is killed
   */
  async drip(): Promise<() => Promise<void>> {
    const ending = new AbortController();
    const before = this.bytes;
    const read = this.#read('drip', ending.signal).catch(() => {});
    await vi.waitFor(() => expect(this.bytes).toBeGreaterThan(before + 250_000), WITHIN);
    return () => {
      ending.abort();
      return read;
    };
  }

  async #read(path: string, signal?: AbortSignal): Promise<void> {
    const { host, port } = new URL(this.#service);
    const headers = { host };
    const asked = get({ ...{ host: '127.0.0.1', port, headers, signal }, path: `/${path}` });
    const [response]: IncomingMessage[] = await once(asked, 'response');
    expect(response?.statusCode).toBe(200);
    for await (const chunk of response ?? []) this.bytes += chunk.length;
  }
}

test('usage is what services sent, and images held, within 1 %, whatever is killed meanwhile', async () => {
  const project = await otherProject('server');
  const services = servicesIn(project);
  const made = await services.create('serves', { image: 'node', command: SERVES });
  expect(await services.deployed(made)).toMatchObject({ state: 'succeeded' });
  const beforePush = Date.now();
  const { remove, bytes } = await freshImage({ ...platform(), ...project }, 'held');
  const pushed = Date.now();

  const clients = new Clients(made.url);
  const much = async () => {
    for (let time = 0; time < 10; time++) await clients.get(5_000_000);
  };
  await much();
  for (const killed of [['edge'], ['redis', 'api'], ['edge', 'postgres']]) {
    const end = await clients.drip();
    await killParts(...killed);
    await end();
    await vi.waitFor(() => clients.get(1), WITHIN);
  }
  await much();

  const beforeRemoval = Date.now();
  await remove();
  const removed = Date.now();
  await imagesAreCounted(removed + 1_000);
  const { servedBytes, storedByteSeconds } = await usedIn(project);
  expect(Math.abs(servedBytes / clients.bytes - 1)).toBeLessThan(0.01);
  const heldMs = (storedByteSeconds / bytes) * 1_000;
  expect(heldMs).toBeGreaterThan((beforeRemoval - pushed) * 0.99);
  expect(heldMs).toBeLessThan((removed - beforePush) * 1.01);
  await services.remove(made);
});
