import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What was killed in it takes some milliseconds to end. */
const WITHIN_MS = 30_000;
const EVERY_MS = 10;
/** Memory is counted in portions. */
const MARGIN_BYTES = 1024 ** 2;

/**
 * Makes a cgroup for others below it, which share the processors with what is beside it by `weight`:
 * 1024 is usual.
 * @param path as it stands in /proc/<pid>/cgroup
 * @see Linux, admin-guide/cgroup-v1/cpusets and scheduler/sched-design-CFS, cgroup-v2 "CPU"
 */
export function makeCgroup(path: string, weight: number): void {
  const unified = join('/sys/fs/cgroup', path);
  const ofProcessors = '/sys/fs/cgroup/cpu';
  if (existsSync(ofProcessors)) {
    mkdirSync(join(ofProcessors, path), { recursive: true });
    writeFileSync(join(ofProcessors, path, 'cpu.shares'), String(weight));
    return;
  }
  mkdirSync(unified, { recursive: true });
  let folder = '/sys/fs/cgroup';
  for (const name of path.split('/').filter(Boolean)) {
    writeFileSync(join(folder, 'cgroup.subtree_control'), '+cpu');
    folder = join(folder, name);
  }
  writeFileSync(join(unified, 'cpu.weight'), String(Math.ceil((weight * 100) / 1024)));
}

/** Whether it may be that the kernel has ended something there, since it needed more memory than its limit. */
export function mayHaveRunOut(path: string): boolean {
  const kills = read(join('/sys/fs/cgroup', path, 'memory.events'));
  if (kills !== '') return /^oom_kill [1-9]/m.test(kills);
  // v1 counts kills where they happened, and those cgroups are gone; that the limit was met is known
  const bytes = (name: string): number => Number(read(join('/sys/fs/cgroup/memory', path, name)));
  const limit = bytes('memory.limit_in_bytes');
  return limit > 0 && bytes('memory.max_usage_in_bytes') >= limit - MARGIN_BYTES;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Removes a cgroup, with those below it, from each hierarchy (v1, v2, both).
 * @param path as it stands in /proc/<pid>/cgroup
 * @throws Error when something goes on in it
 */
export async function removeCgroup(path: string): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  for (const folder of globSync(`/sys/fs/cgroup/{.,*}${path}`)) {
    while (!isRemoved(folder)) {
      if (performance.now() > deadline) throw new Error(`${folder} has processes`);
      await delay(EVERY_MS);
    }
  }
}

function isRemoved(folder: string): boolean {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) isRemoved(join(folder, entry.name));
    }
    rmdirSync(folder);
  } catch {
    // busy, or gone meanwhile
  }
  return !existsSync(folder);
}
