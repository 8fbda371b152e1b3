import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { layersOf, readLayered } from './layered-file.ts';

let folder: string;
let upper: string;
let lower: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-layers-'));
  upper = join(folder, 'upper');
  lower = join(folder, 'lower');
  for (const layer of [upper, lower]) mkdirSync(join(layer, 'etc'), { recursive: true });
  writeFileSync(join(folder, 'secret'), 'of the host');
});
afterEach(() => rmSync(folder, { recursive: true }));

const read = (path = '/etc/passwd') => readLayered([upper, lower], path);

test('the upper layer’s file counts, else the lower one’s', () => {
  writeFileSync(join(lower, 'etc/passwd'), 'lower');
  expect(read()).toBe('lower');
  writeFileSync(join(upper, 'etc/passwd'), 'upper');
  expect(read()).toBe('upper');
  expect(read('/etc')).toBeNull();
  expect(read('/etc/passwd/x')).toBeNull();
  expect(read('/nothing')).toBeNull();
});

test('a whiteout hides what lies below it', () => {
  writeFileSync(join(lower, 'etc/passwd'), 'lower');
  execFileSync('mknod', [join(upper, 'etc/passwd'), 'c', '0', '0']);
  expect(read()).toBeNull();
});

test('links are followed inside of the image', () => {
  mkdirSync(join(lower, 'data'));
  writeFileSync(join(lower, 'data/users'), 'linked');
  symlinkSync('/data/users', join(upper, 'etc/passwd'));
  expect(read()).toBe('linked');
  symlinkSync('../../../data/users', join(upper, 'etc/group'));
  expect(read('/etc/group')).toBe('linked');
  symlinkSync('/etc/loop', join(upper, 'etc/loop'));
  expect(read('/etc/loop')).toBeNull();
});

test('no link leads out to the host', () => {
  symlinkSync(join(folder, 'secret'), join(upper, 'etc/passwd'));
  expect(read()).toBeNull();
  symlinkSync(`${'../'.repeat(20)}${folder}/secret`, join(upper, 'etc/group'));
  expect(read('/etc/group')).toBeNull();
  // a folder above, and in the lower layer a link of the same name
  symlinkSync(folder, join(lower, 'out'));
  mkdirSync(join(upper, 'out'));
  expect(read('/out/secret')).toBeNull();
});

test('pipes and devices are not read', () => {
  execFileSync('mkfifo', [join(upper, 'etc/passwd')]);
  expect(read()).toBeNull();
});

test('the layers of a snapshot are in its mounts', () => {
  const overlay = { type: 'overlay', source: 'overlay', options: ['index=off', 'lowerdir=/b:/c'] };
  expect(layersOf([{ ...overlay, options: [...overlay.options, 'upperdir=/a'] }])).toEqual([
    ...['/a', '/b', '/c'],
  ]);
  expect(layersOf([{ type: 'bind', source: '/a', options: ['rbind'] }])).toEqual(['/a']);
});
