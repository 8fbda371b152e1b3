import { globSync, readdirSync, readFileSync } from 'node:fs';
import pLimit from 'p-limit';
import { expect, test } from 'vitest';
import { disagreements } from '../fixtures/agreement.ts';
import { containersIn } from '../fixtures/containers.ts';
import { heapOf } from '../fixtures/heap.ts';
import { pidOf, platform } from '../fixtures/platform.ts';

/* What containers cost the node after they are gone. */

const { create, ended, remove, wait } = containersIn(platform());

const NODE_PROCESSES = ['api', 'agent', 'logs'];
const PROCESSES = [...NODE_PROCESSES, 'containerd'];
const SIDE_BY_SIDE = 8;
const COUNT = 200;
/** Idle connections, timers, caches: far less than one for each container. */
const SLACK = 20;
const SLACK_BYTES = 4 * 1024 * 1024;
const WITHIN = { timeout: 120_000, interval: 500 };

async function createAndRemove(count: number): Promise<void> {
  const limit = pLimit(SIDE_BY_SIDE);
  const one = async (): Promise<void> => {
    const container = await create({ command: ['true'] });
    await ended(container);
    await remove(container);
    await wait(container, 'removed');
  };
  await Promise.all(Array.from({ length: count }, () => limit(one)));
}

/** What is held now, each by its name. */
function held(): Record<string, number> {
  const pids = PROCESSES.map((name) => [name, pidOf(name)] as const);
  const of = (what: string, count: (pid: number) => number) =>
    pids.map(([name, pid]): [string, number] => [`${what} of ${name}`, count(pid)]);
  return Object.fromEntries([
    ...of('file descriptors', (pid) => readdirSync(`/proc/${pid}/fd`).length),
    ...of('threads', (pid) => readdirSync(`/proc/${pid}/task`).length),
    ...of('mounts', (pid) => linesOf(`/proc/${pid}/mountinfo`).length),
    ['interfaces', readdirSync('/sys/class/net').length],
    ['cgroups', globSync('/sys/fs/cgroup/{,*/}slipway-*/*/').length],
    ['processes', readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length],
  ]);
}

/** In bytes. */
async function memory(): Promise<Record<string, number>> {
  const memory: Record<string, number> = {};
  for (const name of NODE_PROCESSES) memory[name] = await heapOf(pidOf(name)); // one inspector at a time
  return memory;
}

function linesOf(file: string): string[] {
  return readFileSync(file, 'utf8').trim().split('\n');
}

/** Those that grew by more than `slack`. */
function grown(before: Record<string, number>, now: Record<string, number>, slack: number) {
  return Object.entries(now)
    .filter(([name, value]) => value > (before[name] ?? 0) + slack)
    .map(([name, value]) => `${name}: from ${before[name]} to ${value}`);
}

test(`${COUNT} containers that came and went leave nothing behind`, async () => {
  await createAndRemove(COUNT / 2); // until pools and caches are as large as they get
  await expect.poll(disagreements, WITHIN).toEqual([]);
  const before = { held: held(), memory: await memory() };
  await createAndRemove(COUNT);
  await expect.poll(disagreements, WITHIN).toEqual([]);
  await expect.poll(() => grown(before.held, held(), SLACK), WITHIN).toEqual([]);
  expect(grown(before.memory, await memory(), SLACK_BYTES)).toEqual([]);
});
