import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

const MAX_FILE_BYTES = 10 * 1024 * 1024;
/** Of one container: with the newest, the last 20 to 30 MiB. */
const KEPT_FILES = 3;
/** More than the longest record. */
const TAIL_BYTES = 64 * 1024;

/** A container's log: numbered files in a folder, the newest grows. */
export class LogFile {
  readonly #folder: string;
  #number: number;
  #file: FileHandle;
  #sizeBytes: number;
  #writing: Promise<void> = Promise.resolve();

  private constructor(folder: string, number: number, file: FileHandle, sizeBytes: number) {
    this.#folder = folder;
    this.#number = number;
    this.#file = file;
    this.#sizeBytes = sizeBytes;
  }

  /** Goes on where the folder's newest file ends. */
  static async open(folder: string): Promise<LogFile> {
    await mkdir(folder, { recursive: true });
    const number = (await logFilesOf(folder)).at(-1)?.number ?? 1;
    const file = await open(join(folder, nameOf(number)), 'a+', 0o600);
    return new LogFile(folder, number, file, await wholeRecords(file));
  }

  /** Whole records; each call waits for those before. */
  append(records: Buffer): Promise<void> {
    this.#writing = this.#writing.catch(() => {}).then(() => this.#append(records));
    return this.#writing;
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#file.close();
  }

  async #append(records: Buffer): Promise<void> {
    if (records.length === 0) return;
    if (this.#sizeBytes > 0 && this.#sizeBytes + records.length > MAX_FILE_BYTES)
      await this.#rotate();
    await this.#file.appendFile(records);
    this.#sizeBytes += records.length;
  }

  async #rotate(): Promise<void> {
    await this.#file.close();
    this.#number++;
    this.#file = await open(join(this.#folder, nameOf(this.#number)), 'a', 0o600);
    this.#sizeBytes = 0;
    for (const { number, path } of await logFilesOf(this.#folder)) {
      if (number <= this.#number - KEPT_FILES) await rm(path, { force: true });
    }
  }
}

/** Cuts off a record that a killed process left in the middle. @returns the size in bytes */
async function wholeRecords(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
  await file.read(tail, 0, tail.length, size - tail.length);
  const whole = size - tail.length + tail.lastIndexOf('\n') + 1;
  if (whole < size) await file.truncate(whole);
  return whole;
}

/** The oldest first; none when there is no such folder. */
export async function logFilesOf(folder: string): Promise<{ number: number; path: string }[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .flatMap((name) => {
      const number = /^(\d+)\.log$/.exec(name)?.[1];
      return number === undefined ? [] : { number: Number(number), path: join(folder, name) };
    })
    .toSorted((a, b) => a.number - b.number);
}

function nameOf(number: number): string {
  return `${String(number).padStart(6, '0')}.log`;
}
