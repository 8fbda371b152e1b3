import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bytesBelow, DiskWatch, TooMuchWritten } from './disk.ts';

const MIB = 1024 ** 2;

async function twoFolders(): Promise<[string, string]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-disk-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'total'));
  return [folder, join(folder, 'total')];
}

test('what lies in several folders is counted once, whatever is called how', async () => {
  const [folder, inner] = await twoFolders();
  await writeFile(join(inner, '1\ttotal'), Buffer.alloc(3 * MIB));
  const bytes = await bytesBelow([folder, inner, join(folder, 'missing')]);
  expect(bytes).toBeGreaterThanOrEqual(3 * MIB);
  expect(bytes).toBeLessThan(4 * MIB);
  expect(await bytesBelow([])).toBe(0);
});

test('who writes more than may be is told so, also in a folder that was not there before', async () => {
  const [folder, inner] = await twoFolders();
  const folders = [inner];
  const watch = new DiskWatch(() => folders, 10 * MIB);
  onTestFinished(() => watch.close());
  await writeFile(join(inner, 'some'), Buffer.alloc(8 * MIB));
  await writeFile(join(folder, 'not counted'), Buffer.alloc(8 * MIB));
  expect(watch.exceeded.aborted).toBe(false);
  const later = join(folder, 'later');
  await mkdir(later);
  folders.push(later);
  await writeFile(join(later, 'more'), Buffer.alloc(8 * MIB));
  await expect.poll(() => watch.exceeded.aborted, { timeout: 30_000 }).toBe(true);
  expect(watch.exceeded.reason).toBeInstanceOf(TooMuchWritten);
});
