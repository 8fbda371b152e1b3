import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { killNow } from '../process.ts';
import { waitFor } from '../wait.ts';

const ROOT = '/sys/fs/cgroup';

/** Ends whatever is in the cgroup `name` of every hierarchy (v2, v1, both) and removes it. @returns whether there was one */
export async function removeCgroup(name: string): Promise<boolean> {
  const tops = hierarchies()
    .map((hierarchy) => join(hierarchy, name))
    .filter((path) => existsSync(path));
  if (tops.length === 0) return false;
  await waitFor(
    `the removal of the cgroup ${name}`,
    () => {
      for (const top of tops) end(top);
      for (const top of tops) removeBelow(top);
      return tops.some((top) => existsSync(top)) ? null : true;
    },
    { timeoutMs: 60_000, everyMs: 20 },
  );
  return true;
}

function hierarchies(): string[] {
  if (!existsSync(ROOT)) return [];
  const mounted = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(ROOT, entry.name))
    .filter((path) => existsSync(join(path, 'cgroup.procs')));
  return [ROOT, ...mounted];
}

/** A frozen process does not die before it is thawed. */
function end(path: string): void {
  for (const child of childrenOf(path)) end(child);
  tryWrite(join(path, 'freezer.state'), 'THAWED');
  tryWrite(join(path, 'cgroup.freeze'), '0');
  for (const pid of read(join(path, 'cgroup.procs')).split('\n').filter(Boolean)) {
    killNow(Number(pid));
  }
}

function removeBelow(path: string): void {
  for (const child of childrenOf(path)) removeBelow(child);
  try {
    rmdirSync(path);
  } catch {
    // a process in it is still ending
  }
}

function childrenOf(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(path, entry.name));
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function tryWrite(file: string, text: string): void {
  if (!existsSync(file)) return;
  try {
    writeFileSync(file, text);
  } catch {
    // removed meanwhile
  }
}
