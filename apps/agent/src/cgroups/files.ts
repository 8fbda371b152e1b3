import { readdirSync, readFileSync } from 'node:fs';
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

/** The cgroups right below one of v1. @returns their paths */
export function belowV1(controller: string, path: string): string[] {
  try {
    return readdirSync(join(ROOT, controller, path), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(path, name));
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
