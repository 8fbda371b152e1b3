import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

const LIMITS = { bytes: 10 * 1024 * 1024, kept: 3 };
const CHUNK_BYTES = 1024 * 1024;

/**
 * Moves what a too long `<name>.log` of a folder holds (of a flood, the end) to `<name>.log.1`, what
 * was there to `.2`, … The file itself stays, emptied: its process has it open for appending and goes on.
 */
export function rotateLogs(folder: string, limits = LIMITS): void {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (name.endsWith('.log') && statSync(file).size > limits.bytes) rotate(file, limits);
  }
}

function rotate(file: string, { bytes, kept }: typeof LIMITS): void {
  const older = (age: number): string => `${file}.${age}`;
  const fresh = `${file}.new`; // a copy that did not end takes no older one's place
  moveEnd(file, fresh, 2 * bytes);
  for (let age = kept - 1; age > 0; age--) {
    if (existsSync(older(age))) renameSync(older(age), older(age + 1));
  }
  renameSync(fresh, older(1));
}

/** What is written between the last read, which finds nothing more, and the cut is lost: microseconds. */
function moveEnd(file: string, target: string, maxBytes: number): void {
  const source = openSync(file, 'r+');
  const copy = openSync(target, 'w', 0o600);
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let position = Math.max(0, fstatSync(source).size - maxBytes);
    for (let length = -1; length !== 0; position += length) {
      length = readSync(source, chunk, 0, CHUNK_BYTES, position);
      writeSync(copy, chunk, 0, length);
    }
    ftruncateSync(source);
  } catch (error) {
    rmSync(target);
    throw error;
  } finally {
    closeSync(source);
    closeSync(copy);
  }
}
