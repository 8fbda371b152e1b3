import { readFileSync } from 'node:fs';

/** Whether the kernel ended a process of a cgroup for want of memory. To be asked before its task is deleted. */
export function wasOutOfMemory(cgroup: string): boolean {
  const files = [
    `/sys/fs/cgroup/memory${cgroup}/memory.oom_control`,
    `/sys/fs/cgroup${cgroup}/memory.events`,
  ];
  return files.some((file) => Number(/^oom_kill (\d+)/m.exec(read(file))?.[1] ?? 0) > 0);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // another hierarchy
  }
}
