import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Whoever reads it sees the old text or the new one, whole. Only root may. */
export function writeWhole(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.new`;
  writeFileSync(fresh, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, file);
}

/** null when the file is absent or not JSON (as a full disk leaves one) */
export function readJson(file: string): unknown {
  if (!existsSync(file)) return null;
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** '' when it is not there (any more), as of a process that has ended */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Also through links, and by another mount; false when one of them is not there (any more). */
export function isSameFolder(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(one), statSync(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

const TAIL_BYTES = 16 * 1024;

/** The last of a file's text, at most 16 KiB and nothing from before `start`. */
export function tailOf(file: string, start = 0): string {
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    const from = start > size ? 0 : start; // emptied meanwhile
    const buffer = Buffer.alloc(Math.min(TAIL_BYTES, size - from));
    const length = readSync(handle, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8', 0, length);
  } finally {
    closeSync(handle);
  }
}
