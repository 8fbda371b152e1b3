import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeCgroup, stopContainers } from './cgroups.ts';

const CGROUPS = '/sys/fs/cgroup';

let folder: string;
let name: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cgroups-'));
  name = basename(folder);
});
afterEach(async () => {
  await removeCgroup(name);
  await rm(folder, { recursive: true });
});

/** A shell that is the first process of a PID namespace, in a cgroup of its own below `name`. */
async function contain(script: string): Promise<ChildProcess> {
  const cgroup = join(hierarchy(), name, 'ctr');
  mkdirSync(cgroup, { recursive: true });
  const enter = `echo $$ > ${cgroup}/cgroup.procs; exec unshare --pid --fork sh -c '${script}'`;
  const container = spawn('sh', ['-c', enter], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(container.stdout, 'data'); // its trap is set
  return container;
}

/** The one that freezes, where there are several. */
function hierarchy(): string {
  const mounts = ['freezer', 'unified', ''].map((mount) => join(CGROUPS, mount));
  const found = mounts.find((mount) => existsSync(join(mount, 'cgroup.procs')));
  if (found === undefined) throw new Error(`no cgroups under ${CGROUPS}`);
  return found;
}

test('a container that is stopped with the platform can say goodbye', async () => {
  const file = join(folder, 'goodbye');
  const container = await contain(
    `trap "echo saved > ${file}; exit 0" TERM; echo ready; while :; do sleep 0.1; done`,
  );
  const ended = once(container, 'exit');
  await stopContainers(name, 60_000);
  await ended;
  expect(await readFile(file, 'utf8')).toBe('saved\n');
});

test('one that does not listen is left to be killed after its grace', async () => {
  const container = await contain('trap "" TERM; echo ready; while :; do sleep 0.1; done');
  const ended = once(container, 'exit');
  await stopContainers(name, 200);
  expect(container.exitCode).toBeNull();
  await removeCgroup(name);
  await ended;
});
