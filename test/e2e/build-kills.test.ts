import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { buildStagesIn } from '../fixtures/build-stages.ts';
import { buildTraces } from '../fixtures/build-traces.ts';
import { buildsIn } from '../fixtures/builds.ts';
import { killParts, platform } from '../fixtures/platform.ts';

/* Parts of the platform, and of a build, are killed while builds are in every stage. */

const { build, wait, logs } = buildsIn(platform());
const { buildThrough } = buildStagesIn(platform());

const WITHIN = { timeout: 120_000, interval: 200 };
const STAGES_MS = 4_000;

/* Some of them alone, and again and again: test/soak/kills.test.ts. */
const PARTS = ['agent', 'api', 'redis', 'postgres'];

test('all may be killed while builds are in every stage: they end well, and nothing is left', async ({
  onTestFailed,
}) => {
  const afterMs = Math.random() * STAGES_MS;
  onTestFailed(() => console.error(`killed after ${afterMs} ms`));
  const killed = delay(afterMs);
  await buildThrough(async () => {
    await killed;
    await killParts(...PARTS);
  });
});

test('a build begins again when a process of its sandbox is killed, the outermost or the builder', async () => {
  const killed = await Promise.all(
    ['unshare', 'buildah'].map(async (name) => {
      const Dockerfile = `FROM busybox\nRUN echo begun; sleep 2; : ${Math.random()}`;
      const made = await build(`killed-${name}`, { Dockerfile });
      await vi.waitFor(async () => expect(await logs(made)).toContain('begun\n'), WITHIN);
      process.kill(processOf(made, name), 'SIGKILL');
      return made;
    }),
  );
  for (const made of killed) {
    expect(await wait(made)).toMatchObject({ state: 'succeeded' });
    expect((await logs(made)).match(/begun\n/g)).toHaveLength(2);
  }
  await expect.poll(buildTraces, WITHIN).toEqual([]);
});

/** The outermost of that name in a build's sandbox. */
function processOf({ id }: { id: string }, name: string): number {
  const traces = buildTraces().filter((trace) => trace.includes(id));
  const roots = traces.flatMap((trace) => /^(\d+) unshare /.exec(trace)?.[1] ?? []);
  const all = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  const stats = new Map(all.map((pid) => [pid, statOf(pid)]));
  const isBelow = (pid: string): boolean => {
    if (roots.includes(pid)) return true;
    const parent = stats.get(pid)?.parent;
    return parent !== undefined && isBelow(parent);
  };
  const found = all.filter((pid) => stats.get(pid)?.name === name && isBelow(pid));
  return Math.min(...found.map(Number));
}

function statOf(pid: string): { name: string; parent: string } | undefined {
  try {
    const [, name = '', parent = ''] =
      /\((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return { name, parent };
  } catch {
    return undefined;
  }
}
