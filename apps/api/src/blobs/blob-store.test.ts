import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BlobStore, DigestMismatch, type Range, WrongOffset } from './blob-store.ts';
import { DirectoryBlobStore } from './directory.blob-store.ts';

const run = promisify(execFile);
const MIB = 1024 * 1024;

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function put(store: BlobStore, bytes: Buffer): Promise<string> {
  await store.open('whole');
  await store.append('whole', 0, Readable.from([Buffer.from(bytes)]));
  return (await store.finish('whole')).digest;
}

/** All that is sent. */
async function got(store: BlobStore, digest: string, range?: Range): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      setImmediate(done);
    },
  });
  await store.send(digest, () => sink, range);
  await finished(sink);
  return Buffer.concat(chunks);
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
      expect(await got(store, digest)).toEqual(bytes);
      const part = await got(store, digest, { first: 5, last: MIB });
      expect(part).toEqual(bytes.subarray(5, MIB + 1));
    });

    test('the same bytes twice are one blob; deleted it is gone, also when repeated', async () => {
      const bytes = randomBytes(100);
      const digest = await put(store, bytes);
      expect(await put(store, bytes)).toBe(digest);
      await store.delete(digest);
      await store.delete(digest);
      expect(await store.size(digest)).toBeNull();
      await expect(got(store, digest)).rejects.toThrow();
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

    test('of two pieces for the same place one is taken', async () => {
      const pieces = ['here', 'there'].map((text) => Buffer.from(text));
      await store.open('twice');
      const appended = await Promise.allSettled(
        pieces.map((bytes) => store.append('twice', 0, Readable.from([Buffer.from(bytes)]))),
      );
      expect(appended.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
      const { digest } = await store.finish('twice');
      expect(pieces.map(digestOf)).toContain(digest);
      expect(digestOf(await got(store, digest))).toBe(digest);
    });

    test('an upload that is not there takes nothing and comes to nothing', async () => {
      const none = Readable.from([Buffer.from('x')]);
      await expect(store.append('none', 0, none)).rejects.toBeInstanceOf(WrongOffset);
      await expect(store.finish('none')).rejects.toBeInstanceOf(WrongOffset);
      expect(await store.uploaded('none')).toBeNull();
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

    test('uploads that nothing came for since are cancelled, others are left alone', async () => {
      const source = new PassThrough();
      for (const id of ['forgotten', 'arriving']) await store.open(id);
      const arriving = store.append('arriving', 0, source);
      expect(await store.cancelIdle(new Date(0))).toBe(0);
      const later = new Date(Date.now() + 60_000);
      expect(await store.cancelIdle(later)).toBe(1);
      await expect(store.cancel('arriving')).rejects.toBeInstanceOf(WrongOffset);
      expect(await store.uploaded('forgotten')).toBeNull();
      source.end('here');
      expect(await arriving).toBe(4);
      expect(await store.cancelIdle(later)).toBe(1);
    });

    test('names cannot lead out of the store', async () => {
      await expect(store.open('../outside')).rejects.toThrow();
      await expect(got(store, 'sha256:../../etc/passwd')).rejects.toThrow();
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

test('a full disk is said to be one, and the upload goes on once there is space', async () => {
  const small = join(folder, 'small');
  await mkdir(small);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'slipway-test', small]);
  try {
    const store = await DirectoryBlobStore.at(small);
    const bytes = randomBytes(3 * MIB);
    await store.open('large');
    await store.append('large', 0, Readable.from([bytes.subarray(0, MIB)]));
    const rest = () => store.append('large', MIB, Readable.from([bytes.subarray(MIB)]));
    await expect(rest()).rejects.toMatchObject({ code: 'storage-full', status: 507 });
    expect(await store.uploaded('large')).toBe(MIB);
    await run('mount', ['-o', 'remount,size=8m', small]);
    await rest();
    expect((await store.finish('large')).digest).toBe(digestOf(bytes));
  } finally {
    await run('umount', [small]);
  }
});
