import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseLibraries } from './apt.ts';
import { findTool, searchPath } from './tools.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'infra-packages-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string): string {
  const file = join(root, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, '');
  return file;
}

it('installs only the libraries of an unpacked package, never what brings a service', () => {
  const depends =
    'locales | locales-all, postgresql-common (>= 241~), ssl-cert, tzdata, debconf (>= 0.5) | debconf-2.0, libc6 (>= 2.34), libpam0g, zlib1g (>= 1:1.1.4), libfoo:any';
  expect(parseLibraries(depends)).toEqual(['tzdata', 'libc6', 'libpam0g', 'zlib1g', 'libfoo']);
});

it('uses a binary of the machine before an unpacked one', () => {
  const containerd = { anyOf: ['containerd'], package: 'containerd', how: 'unpack' } as const;
  const system = put('system/containerd');
  const unpacked = put('unpacked/usr/bin/containerd');
  const unpackedRoot = join(root, 'unpacked');
  expect(findTool(containerd, searchPath(join(root, 'system'), '/nowhere'), unpackedRoot)).toBe(
    system,
  );
  expect(findTool(containerd, join(unpackedRoot, 'usr/bin'), unpackedRoot)).toBe(unpacked);
});

it('takes the newest of several versions', () => {
  const tool = { anyOf: ['/opt/db/*/bin/db'], package: 'db-*', how: 'unpack' } as const;
  put('opt/db/9/bin/db');
  const newest = put('opt/db/15/bin/db');
  mkdirSync(join(root, 'opt/db/17'));
  expect(findTool(tool, '', root)).toBe(newest);
});

it('completes a short PATH by the system directories and the unpacked ones', () => {
  expect(searchPath('/usr/bin:/own', '/r').split(':')).toEqual([
    ...['/usr/bin', '/own', '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/sbin', '/bin'],
    ...['/r/usr/sbin', '/r/usr/bin'],
  ]);
});
