import { mkdtempSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '@slipway/process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { explainFullDisk, requireRoom } from './room.mjs';

let disk: string;
beforeEach(async () => {
  disk = mkdtempSync(join(tmpdir(), 'slipway-disk-'));
  await exec('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', disk]);
});
afterEach(async () => {
  await exec('umount', [disk]);
  rmdirSync(disk);
});

/** What a program of the machine says when the disk has no room. */
async function failToWrite(): Promise<string> {
  const { stderr } = await exec('dd', ['if=/dev/zero', `of=${disk}/file`, 'bs=1M', 'count=3'], {
    allowFailure: true,
  });
  return stderr;
}

test('too little room is said with how much is there and needed', () => {
  expect(() => requireRoom(disk, 1, 'Slipway')).not.toThrow();
  expect(() => requireRoom(disk, 100, 'Slipway')).toThrow(
    `The disk of ${disk} has 2 MiB free, and Slipway needs 100 MiB: make room there, then try again.`,
  );
});

test('what failed for want of room names the disk and what to do, whoever says it', async () => {
  const said = await failToWrite();
  expect(explainFullDisk(said, ['/proc', disk])).toContain(
    `The disk of ${disk} is full: make room`,
  );
  const node = (): void => writeFileSync(join(disk, 'other'), Buffer.alloc(3 * 1024 * 1024));
  expect(node).toThrow(/ENOSPC/);
  expect(explainFullDisk('ENOSPC: no space left on device, write', [disk])).toContain('make room');
  expect(explainFullDisk('permission denied', [disk])).toBe('permission denied');
});
