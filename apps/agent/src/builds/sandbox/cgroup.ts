import { existsSync, globSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What was killed in it takes some milliseconds to end. */
const WITHIN_MS = 30_000;
const EVERY_MS = 10;

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
