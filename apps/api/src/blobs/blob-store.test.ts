import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BlobStore, DigestMismatch, WrongOffset } from './blob-store.ts';
import { DirectoryBlobStore } from './directory.blob-store.ts';

const MIB = 1024 * 1024;

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function put(store: BlobStore, bytes: Buffer): Promise<string> {
  await store.open('whole');
  await store.append('whole', 0, Readable.from([bytes]));
  return (await store.finish('whole')).digest;
}

/** What every driver has to do. `reopen`: the same store in another process. */
function suite(name: string, make: () => { store: BlobStore; reopen(): Promise<BlobStore> }): void {
  describe(name, () => {
    let store: BlobStore;
    let reopen: () => Promise<BlobStore>;
    beforeEach(() => {
      ({ store, reopen } = make());
    });

    test('what was put is read by its digest, whole and in part', async () => {
      const bytes = randomBytes(3 * MIB + 17);
      const digest = await put(store, bytes);
      expect(digest).toBe(digestOf(bytes));
      expect(await store.size(digest)).toBe(bytes.length);
      expect(await buffer(await store.read(digest))).toEqual(bytes);
      const part = await buffer(await store.read(digest, { first: 5, last: MIB }));
      expect(part).toEqual(bytes.subarray(5, MIB + 1));
    });

    test('the same bytes twice are one blob; deleted it is gone, also when repeated', async () => {
      const bytes = randomBytes(100);
      const digest = await put(store, bytes);
      expect(await put(store, bytes)).toBe(digest);
      await store.delete(digest);
      await store.delete(digest);
      expect(await store.size(digest)).toBeNull();
      await expect(store.read(digest)).rejects.toThrow();
    });

    test('pieces become one blob, also when another process takes the later ones', async () => {
      const bytes = randomBytes(MIB);
      await store.open('pieces');
      expect(await store.append('pieces', 0, Readable.from([bytes.subarray(0, 1000)]))).toBe(1000);
      const other = await reopen();
      expect(await other.uploaded('pieces')).toBe(1000);
      await other.append('pieces', 1000, Readable.from([bytes.subarray(1000)]));
      expect(await other.finish('pieces', digestOf(bytes))).toEqual({
        digest: digestOf(bytes),
        sizeBytes: MIB,
      });
    });

    test('a piece for another place is refused and says where the upload stands', async () => {
      await store.open('gap');
      await store.append('gap', 0, Readable.from([Buffer.alloc(10)]));
      const refused = store.append('gap', 11, Readable.from([Buffer.alloc(1)]));
      await expect(refused).rejects.toMatchObject({ sizeBytes: 10 });
      await expect(refused).rejects.toBeInstanceOf(WrongOffset);
    });

    test('a piece whose source breaks off leaves the upload as it was', async () => {
      await store.open('broken');
      await store.append('broken', 0, Readable.from([Buffer.from('begin')]));
      const breaking = Readable.from(
        (async function* () {
          yield Buffer.alloc(2 * MIB);
          throw new Error('the client went away');
        })(),
      );
      await expect(store.append('broken', 5, breaking)).rejects.toThrow('went away');
      expect(await store.uploaded('broken')).toBe(5);
      await store.append('broken', 5, Readable.from([Buffer.from(' end')]));
      const { digest } = await store.finish('broken');
      expect(digest).toBe(digestOf(Buffer.from('begin end')));
    });

    test('a wrong digest and a cancelled upload leave nothing', async () => {
      await store.open('wrong');
      await store.append('wrong', 0, Readable.from([Buffer.from('this')]));
      const expected = digestOf(Buffer.from('that'));
      await expect(store.finish('wrong', expected)).rejects.toBeInstanceOf(DigestMismatch);
      await store.open('cancelled');
      await store.cancel('cancelled');
      await store.cancel('cancelled');
      for (const id of ['wrong', 'cancelled']) expect(await store.uploaded(id)).toBeNull();
      expect(await store.size(expected)).toBeNull();
    });

    test('names cannot lead out of the store', async () => {
      await expect(store.open('../outside')).rejects.toThrow();
      await expect(store.read('sha256:../../etc/passwd')).rejects.toThrow();
    });
  });
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-blobs-'));
  directory = await DirectoryBlobStore.at(folder);
});
afterEach(async () => {
  expect(await readdir(join(folder, 'uploads'))).toEqual(
    expect.not.arrayContaining(['wrong', 'cancelled', 'whole']),
  );
  await rm(folder, { recursive: true });
});

let directory: BlobStore;
suite('a directory', () => ({ store: directory, reopen: () => DirectoryBlobStore.at(folder) }));
