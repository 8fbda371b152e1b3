import { createHash, type Hash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { AppError } from '@slipway/contracts';
import { type BlobStore, DigestMismatch, type Range, WrongOffset } from './blob-store.ts';
import { sendFile } from './send-file.ts';
import { writeBehind } from './write-behind.ts';

/** Chunks of 1 MiB are read and hashed at nearly twice the speed of Node's own 64 KiB. */
const CHUNK_BYTES = 1024 * 1024;
const UPLOAD_ID = /^\w+$/;
const MAX_HASHES = 1000;

/**
 * A blob store in a folder: `sha256/<first two digits>/<digits>`, uploads under `uploads/<id>`.
 * Processes may share it, each with uploads of its own: one must not append while another finishes.
 * So there is one registry to a folder; one that starts after it goes on with its uploads.
 */
export class DirectoryBlobStore implements BlobStore {
  readonly #folder: string;
  /** Of what was appended in this process; what is not here is read once more in the end. */
  readonly #hashes = new Map<string, Hash>();
  readonly #busy = new Set<string>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async at(folder: string): Promise<DirectoryBlobStore> {
    await mkdir(join(folder, 'uploads'), { recursive: true, mode: 0o700 });
    return new DirectoryBlobStore(folder);
  }

  size(digest: string): Promise<number | null> {
    return sizeOf(this.#fileOf(digest));
  }

  async send(digest: string, begin: () => Writable, range?: Range): Promise<void> {
    // opened first, so that it is read to its end also when it is deleted meanwhile
    const file = await open(this.#fileOf(digest), 'r');
    try {
      const { size } = await file.stat();
      const sink = begin();
      await sendFile(file, range ?? { first: 0, last: size - 1 }, sink).then(
        () => sink.end(),
        (error: Error) => sink.destroy(error),
      );
    } finally {
      await file.close();
    }
  }

  async delete(digest: string): Promise<void> {
    await rm(this.#fileOf(digest), { force: true });
  }

  async open(id: string): Promise<void> {
    const file = await open(this.#uploadOf(id), 'wx', 0o600);
    await file.close();
  }

  uploaded(id: string): Promise<number | null> {
    return sizeOf(this.#uploadOf(id));
  }

  append(id: string, offset: number, source: AsyncIterable<Buffer>): Promise<number> {
    return this.#alone(id, async (path, before) => {
      if (offset !== before) throw new WrongOffset(before);
      const hash = before === 0 ? createHash('sha256') : (this.#hashes.get(id)?.copy() ?? null);
      try {
        const sizeBytes = await appendTo(path, before, hashed(source, hash));
        if (hash !== null) this.#remember(id, hash);
        return sizeBytes;
      } catch (error) {
        await truncate(path, before);
        throw explained(error);
      }
    });
  }

  finish(id: string, expected?: string): Promise<{ digest: string; sizeBytes: number }> {
    return this.#alone(id, async (path, sizeBytes) => {
      try {
        const hash = this.#hashes.get(id) ?? (await hashOfFile(path));
        const digest = `sha256:${hash.digest('hex')}`;
        if (expected !== undefined && expected !== digest)
          throw new DigestMismatch(expected, digest);
        await this.#publish(path, digest);
        return { digest, sizeBytes };
      } finally {
        await this.#remove(id);
      }
    });
  }

  async cancel(id: string): Promise<void> {
    if (this.#busy.has(id)) throw new WrongOffset((await this.uploaded(id)) ?? 0);
    await this.#remove(id);
  }

  async cancelIdle(since: Date): Promise<number> {
    let count = 0;
    for (const id of await readdir(join(this.#folder, 'uploads'))) {
      if (!UPLOAD_ID.test(id)) continue; // not ours
      const stats = await statsOf(this.#uploadOf(id));
      if (stats === null || stats.mtime >= since || this.#busy.has(id)) continue;
      await this.#remove(id);
      count++;
    }
    return count;
  }

  async #remove(id: string): Promise<void> {
    this.#hashes.delete(id);
    await rm(this.#uploadOf(id), { force: true });
  }

  /** What is looked at and changed is the upload's file, by one at a time. */
  async #alone<T>(id: string, work: (path: string, sizeBytes: number) => Promise<T>): Promise<T> {
    const path = this.#uploadOf(id);
    if (this.#busy.has(id)) throw new WrongOffset((await sizeOf(path)) ?? 0);
    this.#busy.add(id);
    try {
      const sizeBytes = await sizeOf(path);
      if (sizeBytes === null) throw new WrongOffset(0);
      return await work(path, sizeBytes);
    } finally {
      this.#busy.delete(id);
    }
  }

  /** The oldest are forgotten: tenants may begin uploads without end. */
  #remember(id: string, hash: Hash): void {
    this.#hashes.delete(id);
    this.#hashes.set(id, hash);
    const [oldest = id] = this.#hashes.keys();
    if (this.#hashes.size > MAX_HASHES) this.#hashes.delete(oldest);
  }

  /** It is on the disk before it has its name. */
  async #publish(file: string, digest: string): Promise<void> {
    const target = this.#fileOf(digest);
    try {
      const made = await mkdir(dirname(target), { recursive: true });
      if (made !== undefined) await syncToDisk(dirname(made));
      await syncToDisk(file);
      await rename(file, target);
      await syncToDisk(dirname(target));
    } catch (error) {
      throw explained(error);
    }
  }

  #fileOf(digest: string): string {
    const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
    if (hex === undefined) throw new Error(`${digest} is no digest`);
    return join(this.#folder, 'sha256', hex.slice(0, 2), hex);
  }

  #uploadOf(id: string): string {
    if (!UPLOAD_ID.test(id)) throw new Error(`${id} is no upload's id`);
    return join(this.#folder, 'uploads', id);
  }
}

async function sizeOf(file: string): Promise<number | null> {
  return (await statsOf(file))?.size ?? null;
}

async function statsOf(file: string): Promise<Stats | null> {
  try {
    return await stat(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function appendTo(
  path: string,
  position: number,
  source: AsyncIterable<Buffer>,
): Promise<number> {
  const file = await open(path, 'r+');
  try {
    return await writeBehind(file, position, source);
  } finally {
    await file.close();
  }
}

async function* hashed(source: AsyncIterable<Buffer>, hash: Hash | null): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    hash?.update(chunk);
    yield chunk;
  }
}

async function hashOfFile(file: string): Promise<Hash> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
    hash.update(chunk);
  }
  return hash;
}

async function syncToDisk(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function explained(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new AppError('storage-full', 'The platform has no disk space left for this.', {
    cause: error,
  });
}
