import { belowV1, readV1, readV2 } from './files.ts';

export interface CgroupUsage {
  /** of all that ever ran in it, and below */
  cpuSeconds: number;
  /** its working set: without pages of files that nobody has read twice, which the kernel takes back first */
  memoryBytes: number;
  /** the most there ever was, those pages too */
  peakMemoryBytes: number;
  /** nothing runs in it or below (any more): what it has is no memory of a program’s */
  isOver: boolean;
}

/**
 * What a cgroup uses.
 * @param path as it stands in /proc/<pid>/cgroup
 * @returns null when it is not there (any more)
 * @see Linux, admin-guide/cgroup-v1/cpuacct, admin-guide/cgroup-v1/memory "stat file", admin-guide/cgroup-v2 "CPU", "Memory"
 */
export function usageOf(path: string): CgroupUsage | null {
  return usageOfV1(path) ?? usageOfV2(path);
}

function usageOfV1(path: string): CgroupUsage | null {
  const nanoseconds = readV1('cpuacct', path, 'cpuacct.usage');
  const all = readV1('memory', path, 'memory.usage_in_bytes');
  if (nanoseconds === '' || all === '') return null;
  const stat = readV1('memory', path, 'memory.stat');
  return {
    cpuSeconds: Number(nanoseconds) / 1e9,
    memoryBytes: workingSet(all, numberIn(stat, 'total_inactive_file')),
    peakMemoryBytes: Number(readV1('memory', path, 'memory.max_usage_in_bytes')),
    isOver: isOverV1(path), // after its memory
  };
}

function usageOfV2(path: string): CgroupUsage | null {
  const all = readV2(path, 'memory.current');
  const cpu = readV2(path, 'cpu.stat');
  if (all === '' || cpu === '') return null;
  const stat = readV2(path, 'memory.stat');
  return {
    cpuSeconds: numberIn(cpu, 'usage_usec') / 1e6,
    memoryBytes: workingSet(all, numberIn(stat, 'inactive_file')),
    // Linux has it since 5.19
    peakMemoryBytes: Number(readV2(path, 'memory.peak') || all),
    isOver: !/^populated 1$/m.test(readV2(path, 'cgroup.events')), // after its memory
  };
}

function isOverV1(path: string): boolean {
  return readV1('memory', path, 'cgroup.procs') === '' && belowV1('memory', path).every(isOverV1);
}

function workingSet(all: string, inactiveFile: number): number {
  return Math.max(Number(all) - inactiveFile, 0);
}

function numberIn(stat: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0);
}
