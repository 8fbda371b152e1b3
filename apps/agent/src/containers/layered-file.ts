import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Mount } from '../containerd/snapshots.ts';

const MAX_LINKS = 40;
const MAX_BYTES = 1024 * 1024;

/** The folders of a container's filesystem on the host, the upper first. */
export function layersOf(mounts: readonly Mount[]): string[] {
  return mounts.flatMap(({ type, source, options }) => {
    if (type !== 'overlay') return [source];
    const dirsOf = (name: string): string[] =>
      options.flatMap((option) =>
        option.startsWith(`${name}=`) ? option.slice(name.length + 1) : [],
      );
    return [...dirsOf('upperdir'), ...dirsOf('lowerdir').flatMap((dirs) => dirs.split(':'))];
  });
}

/**
 * Reads a small file as the container would see it, without mounting its filesystem. Links are
 * followed inside of it and never lead out: each step looks at what is really there.
 * @returns null when it is absent, no plain file, or too large
 */
export function readLayered(layers: readonly string[], path: string): string | null {
  let rest = path.split('/').filter(Boolean);
  let walked: string[] = [];
  let dirs = layers;
  for (let links = 0; links <= MAX_LINKS; ) {
    const [name, ...further] = rest;
    if (name === undefined) return null; // a folder
    const entry = topmost(dirs, name);
    switch (entry?.kind) {
      case 'folder':
        dirs = entry.paths;
        walked.push(name);
        rest = further;
        break;
      case 'file':
        return further.length === 0 ? readSmall(entry.path) : null;
      case 'link': {
        links++;
        const from = entry.target.startsWith('/') ? [] : walked;
        rest = normalized([...from, ...entry.target.split('/'), ...further]);
        walked = [];
        dirs = layers;
        break;
      }
      default:
        return null;
    }
  }
  return null;
}

type Entry =
  /** the same folder in each layer that has a part of it */
  | { kind: 'folder'; paths: string[] }
  | { kind: 'file'; path: string }
  | { kind: 'link'; target: string }
  | { kind: 'other' };

/** What the highest layer says that has something of that name; a whiteout is of the kind `other`. */
function topmost(dirs: readonly string[], name: string): Entry | null {
  const folders: string[] = [];
  for (const dir of dirs) {
    const path = join(dir, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) continue;
    if (stat.isDirectory()) {
      folders.push(path);
      continue;
    }
    if (folders.length > 0) break; // what lies below a folder and is none is hidden
    if (stat.isFile()) return { kind: 'file', path };
    if (stat.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) };
    return { kind: 'other' };
  }
  return folders.length > 0 ? { kind: 'folder', paths: folders } : null;
}

/** `..` ends at the root, as in a chroot. */
function normalized(parts: readonly string[]): string[] {
  const path: string[] = [];
  for (const part of parts) {
    if (part === '..') path.pop();
    else if (part !== '' && part !== '.') path.push(part);
  }
  return path;
}

function readSmall(path: string): string | null {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    return stat.isFile() && stat.size <= MAX_BYTES ? readFileSync(file, 'utf8') : null;
  } finally {
    closeSync(file);
  }
}
