import { existsSync, globSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What was killed in it takes some milliseconds to end. */
const WITHIN_MS = 30_000;
const EVERY_MS = 10;

/**
 * Makes a cgroup for others below it, which share the processors with what is beside it by `weight`:
 * 1024 is usual.
 * @param path as it stands in /proc/<pid>/cgroup
 * @see Linux, scheduler/sched-design-CFS "group scheduler extensions", admin-guide/cgroup-v2 "CPU"
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
