import { mkdir, mkdtemp, readdir, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readDockerfile, unpackContext } from './context.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-context-'));
});
afterEach(() => rm(folder, { recursive: true }));

type Entry = Partial<Header> & { name: string } & { text?: string };

function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { text = '', ...header } of entries) tar.entry(header, text);
  tar.finalize();
  return buffer(tar);
}

const unpack = (bytes: Uint8Array, name = 'context') =>
  unpackContext(Readable.from([bytes.subarray(0, 100), bytes.subarray(100)]), join(folder, name));

test('files, folders and links come out as they went in, compressed or not; all are root’s', async () => {
  const tar = await tarOf([
    { name: './', type: 'directory' },
    { name: './bin/run.sh', text: '#!/bin/sh', mode: 0o777, uid: 1000, gid: 1000 },
    { name: 'absolute', type: 'symlink', linkname: '/usr/bin/env' },
    { name: 'relative', type: 'symlink', linkname: 'bin/run.sh' },
    { name: 'hard', type: 'link', linkname: 'bin/run.sh' },
  ]);
  const forms = { plain: tar, gzip: gzipSync(tar), zstd: zstdCompressSync(tar) };
  for (const [name, bytes] of Object.entries(forms)) {
    await unpack(bytes, name);
    const at = join(folder, name);
    expect((await readdir(at)).toSorted()).toEqual(['absolute', 'bin', 'hard', 'relative']);
    expect(await readlink(join(at, 'absolute'))).toBe('/usr/bin/env');
    expect(await readlink(join(at, 'relative'))).toBe('bin/run.sh');
    const { mode, uid, ino } = await stat(join(at, 'bin/run.sh'));
    expect([mode & 0o7777, uid, ino]).toEqual([0o777, 0, (await stat(join(at, 'hard'))).ino]);
  }
});

test('nothing is written outside, whatever the names and links', async () => {
  const outside = join(folder, 'outside');
  await mkdir(outside);
  const hostile: Entry[][] = [
    [{ name: '../outside/a', text: 'x' }],
    [{ name: join(outside, 'b'), text: 'x' }],
    [
      { name: 'l', type: 'symlink', linkname: outside },
      { name: 'l/c', text: 'x' },
    ],
    [
      { name: 'a/l', type: 'symlink', linkname: '/outside' },
      { name: 'a', type: 'symlink', linkname: outside },
    ],
    [{ name: 'd', type: 'link', linkname: '../outside/d' }],
    [
      { name: 'h', type: 'symlink', linkname: outside },
      { name: 'e', type: 'link', linkname: 'h/e' },
    ],
    [{ name: 'null', type: 'character-device', devmajor: 1, devminor: 3 }],
  ];
  for (const [index, entries] of hostile.entries()) {
    await unpack(await tarOf(entries), `context-${index}`).catch((error: Error) =>
      expect(error.name).toBe('BuildFailure'),
    );
    expect(await readdir(outside)).toEqual([]);
  }
  expect(await readdir(join(folder, `context-${hostile.length - 1}`))).toEqual([]);
});

test('what is no tar or is cut short is named', async () => {
  const tar = await tarOf([{ name: 'a', text: 'x'.repeat(100_000) }]);
  const cases: [Uint8Array, RegExp][] = [
    [Buffer.from('hello'), /not look like a tar archive/],
    [Buffer.alloc(5000, 'x'), /not look like a tar archive/],
    [tar.subarray(0, 5000), /Unexpected EOF/],
    [gzipSync(tar).subarray(0, 150), /unexpected end of file/],
    [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3]), /./],
    [await tarOf([{ name: `${'d'.repeat(200)}/`.repeat(30) }]), /…d.*: File name too long/],
  ];
  for (const [bytes, message] of cases) {
    await expect(unpack(bytes)).rejects.toMatchObject({
      ...{ reason: 'context-unusable', message: expect.stringMatching(message) },
    });
  }
});

test('a device, and more than a node has room for, are refused', async () => {
  const device: Entry = { name: 'd', type: 'character-device', devmajor: 1, devminor: 3 };
  await expect(unpack(await tarOf([device]))).rejects.toThrow(/Cannot mknod/);
  const limits = { entries: 2, bytes: 100_000 };
  const small = (tar: Buffer) => unpackContext(Readable.from([tar]), join(folder, 'small'), limits);
  const names = ['a', 'b', 'c'].map((name) => ({ name }));
  await expect(small(await tarOf(names))).rejects.toThrow(/more than 2 entries/);
  const bomb = gzipSync(await tarOf([{ name: 'a', text: 'x'.repeat(200_000) }]));
  await expect(small(bomb)).rejects.toThrow(/more than 100000 bytes/);
  await small(await tarOf(names.slice(0, 2)));
});

test('an archive ends where it says so, whatever comes after that, and however late', async () => {
  const tar = await tarOf([{ name: 'a', text: 'x' }]);
  async function* late() {
    yield tar;
    await delay(300); // tar has long read it
  }
  await unpackContext(Readable.from(late()), join(folder, 'late'));
  await unpack(Buffer.concat([tar, Buffer.alloc(1_000_000, 'x')]), 'more');
  for (const name of ['late', 'more']) expect(await readdir(join(folder, name))).toEqual(['a']);
});

test('a source that breaks off is not the archive’s fault', async () => {
  const tar = await tarOf([{ name: 'a', text: 'x'.repeat(100_000) }]);
  async function* broken() {
    yield tar.subarray(0, 5000);
    throw new Error('the API went away');
  }
  await expect(unpackContext(Readable.from(broken()), folder)).rejects.toThrow('the API went away');
});

test('a Dockerfile is a file of the context, also by a link, but not by one that leads out', async () => {
  await mkdir(join(folder, 'context/deploy'), { recursive: true });
  const context = join(folder, 'context');
  await writeFile(join(context, 'deploy/Dockerfile'), 'FROM busybox');
  await symlink('deploy/Dockerfile', join(context, 'linked'));
  await symlink('/etc/passwd', join(context, 'escaping'));
  expect(await readDockerfile(context, 'deploy/Dockerfile')).toBe('FROM busybox');
  expect(await readDockerfile(context, 'linked')).toBe('FROM busybox');
  for (const path of ['Dockerfile', 'deploy', 'escaping', '../../../etc/passwd', '/etc/passwd']) {
    await expect(readDockerfile(context, path), path).rejects.toMatchObject({
      reason: 'dockerfile-not-found',
    });
  }
});

test('whether a file outside exists is not told', async () => {
  const context = join(folder, 'context');
  await mkdir(context);
  await symlink('/etc', join(context, 'etc'));
  const messageOf = (path: string) => readDockerfile(context, path).catch(({ message }) => message);
  for (const [index, to] of ['/etc/passwd', '/nowhere', 'nowhere'].entries()) {
    await symlink(to, join(context, `link-${index}`));
    expect(await messageOf(`link-${index}`)).toBe(
      `The context has no "link-${index}" that lies in it.`,
    );
  }
  for (const path of ['etc/passwd', 'etc/nowhere', '../../../etc/passwd', '../nowhere']) {
    expect(await messageOf(path)).toBe(`The context has no "${path}".`);
  }
});
