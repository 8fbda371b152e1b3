import { readV1, readV2 } from './files.ts';

/** Memory is counted in portions. */
const MARGIN_BYTES = 1024 ** 2;

/**
 * Whether the kernel ended a process of a cgroup for want of memory.
 * @see Linux, admin-guide/cgroup-v1/memory "OOM Control", admin-guide/cgroup-v2 "memory.events"
 */
export function wasOutOfMemory(path: string): boolean {
  return hasKilled(readV1('memory', path, 'memory.oom_control')) || hasKilled(eventsOf(path));
}

/** The same of a cgroup and those that were below it and are gone by now: on cgroups v1 it may be that it was so. */
export function mayHaveRunOut(path: string): boolean {
  const events = eventsOf(path);
  if (events !== '') return hasKilled(events);
  // v1 counts kills where they happened; that the limit was met is known
  const bytes = (name: string): number => Number(readV1('memory', path, name));
  const limit = bytes('memory.limit_in_bytes');
  return limit > 0 && bytes('memory.max_usage_in_bytes') >= limit - MARGIN_BYTES;
}

function eventsOf(path: string): string {
  return readV2(path, 'memory.events');
}

function hasKilled(counts: string): boolean {
  return /^oom_kill [1-9]/m.test(counts);
}
