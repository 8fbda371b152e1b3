import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/* What is asked here is known as long as the cgroup is there. Paths are as in /proc/<pid>/cgroup. */

const ROOT = '/sys/fs/cgroup';
/** Memory is counted in portions. */
const MARGIN_BYTES = 1024 ** 2;

/**
 * Whether the kernel ended a process of a cgroup for want of memory.
 * @see Linux, admin-guide/cgroup-v1/memory "OOM Control", admin-guide/cgroup-v2 "memory.events"
 */
export function wasOutOfMemory(path: string): boolean {
  const files = [join(ROOT, 'memory', path, 'memory.oom_control'), eventsOf(path)];
  return files.some((file) => hasKilled(read(file)));
}

/** The same of a cgroup and those that were below it and are gone by now: on cgroups v1 it may be that it was so. */
export function mayHaveRunOut(path: string): boolean {
  const events = read(eventsOf(path));
  if (events !== '') return hasKilled(events);
  // v1 counts kills where they happened; that the limit was met is known
  const bytes = (name: string): number => Number(read(join(ROOT, 'memory', path, name)));
  const limit = bytes('memory.limit_in_bytes');
  return limit > 0 && bytes('memory.max_usage_in_bytes') >= limit - MARGIN_BYTES;
}

function eventsOf(path: string): string {
  return join(ROOT, path, 'memory.events');
}

function hasKilled(counts: string): boolean {
  return /^oom_kill [1-9]/m.test(counts);
}

/** '' of another hierarchy */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
