import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { buildTraces } from '../fixtures/build-traces.ts';
import { buildsIn } from '../fixtures/builds.ts';
import { containersIn } from '../fixtures/containers.ts';
import { killParts, platform } from '../fixtures/platform.ts';

/* Parts of the platform, and of a build, are killed while builds are in every stage. */

const { build, wait, logs } = buildsIn(platform());
const { create, ended, logs: containerLogs, remove } = containersIn(platform());

const WITHIN = { timeout: 120_000, interval: 200 };
/** Builds follow each other so that at a time some wait, some are unpacked, built, and pushed. */
const BUILDS = 5;
const ONE_AFTER_THE_OTHER_MS = 300;
const STAGES_MS = 4_000;

const PARTS = ['agent', 'api', 'redis', 'postgres'];
const VICTIMS: [string, string[]][] = [
  ...PARTS.map((name): [string, string[]] => [name, [name]]),
  ['all of them', PARTS],
];

/** Each of its stages takes some time, and none is cached. */
function filesOf(name: string): Record<string, string> {
  const data = Math.random().toString(36).repeat(100_000);
  const Dockerfile = `FROM busybox AS first
COPY data /data
RUN for i in 1 2 3; do echo $i; sleep 0.1; done; echo ${name} > /name
FROM busybox
COPY --from=first /data /name /
CMD ["cat", "/name"]`;
  return { Dockerfile, data };
}

test.for(VICTIMS)(
  '%s may be killed while builds are in every stage: they end well, and nothing is left',
  async ([, names], { onTestFailed }) => {
    const afterMs = Math.random() * STAGES_MS;
    onTestFailed(() => console.error(`killed after ${afterMs} ms`));
    const killed = delay(afterMs);
    const made = [];
    for (let count = 0; count < BUILDS; count++) {
      made.push(await build(`stage-${count}`, filesOf(`the name of ${count}`)));
      await delay(ONE_AFTER_THE_OTHER_MS);
    }
    await killed;
    await killParts(...names);
    for (const [count, one] of made.entries()) {
      expect(await wait(one)).toMatchObject({ state: 'succeeded', reason: 'completed' });
      const container = await create({ image: `stage-${count}` });
      expect(await ended(container)).toMatchObject({ exitCode: 0 });
      expect(await containerLogs(container)).toBe(`the name of ${count}\n`);
      await remove(container);
    }
    await expect.poll(buildTraces, WITHIN).toEqual([]);
  },
);

test.for(['unshare', 'buildah'])('a build begins again when its %s is killed', async (name) => {
  const Dockerfile = `FROM busybox\nRUN echo begun; sleep 2; : ${Date.now()}`;
  const made = await build('killed', { Dockerfile });
  await vi.waitFor(async () => expect(await logs(made)).toContain('begun\n'), WITHIN);
  const [pid = expect.unreachable()] = processesOfBuilds(name);
  process.kill(pid, 'SIGKILL');
  expect(await wait(made)).toMatchObject({ state: 'succeeded' });
  expect((await logs(made)).match(/begun\n/g)).toHaveLength(2);
  await expect.poll(buildTraces, WITHIN).toEqual([]);
});

/** Those of that name below a sandbox's first one, the outermost first. */
function processesOfBuilds(name: string): number[] {
  const roots = buildTraces().flatMap((trace) => /^(\d+) unshare /.exec(trace)?.[1] ?? []);
  const all = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  const stats = new Map(all.map((pid) => [pid, statOf(pid)]));
  const isBelow = (pid: string): boolean => {
    if (roots.includes(pid)) return true;
    const parent = stats.get(pid)?.parent;
    return parent !== undefined && isBelow(parent);
  };
  const found = all.filter((pid) => stats.get(pid)?.name === name && isBelow(pid));
  return found.map(Number).toSorted((one, other) => one - other);
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
