import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/* What is asked here is known as long as the cgroup is there. Paths are as in /proc/<pid>/cgroup. */

const ROOT = '/sys/fs/cgroup';

/** A file of cgroups v1. @param controller as its folder is called. @returns '' where there is no such file */
export function readV1(controller: string, path: string, name: string): string {
  return read(join(ROOT, controller, path, name));
}

/** A file of cgroups v2. @returns '' where there is no such file */
export function readV2(path: string, name: string): string {
  return read(join(ROOT, path, name));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
