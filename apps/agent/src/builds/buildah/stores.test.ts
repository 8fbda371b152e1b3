import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Store, Stores } from './stores.ts';

const MAX = { images: 2 * 1024 ** 2, caches: 1024 ** 2 };

async function testStores() {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-stores-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const seen: string[] = [];
  const tidy = async ({ projectId, images }: Store) => {
    seen.push(`tidy ${projectId}`);
    const hasUnknown = (await readFile(join(images, CONTAINERS), 'utf8')).includes('unknown');
    if (!hasUnknown) await writeFile(join(images, CONTAINERS), '[]\n');
  };
  const fail = (error: unknown) => void seen.push(String(error));
  const open = () => new Stores(folder, tidy, fail, MAX);
  return { folder, seen, open };
}

const CONTAINERS = 'storage/overlay-containers/containers.json';

/** As a build that is killed does. */
async function leaveContainer({ images }: Store, id = '1'): Promise<void> {
  await mkdir(join(images, 'storage/overlay-containers'), { recursive: true });
  await writeFile(join(images, CONTAINERS), `[{"id":"${id}"}]`);
}

test('what a killed build has left goes as soon as nobody else works there', async () => {
  const { seen, open } = await testStores();
  const stores = open();
  const long = Promise.withResolvers<void>();
  const first = stores.use('prj_1', () => long.promise);
  const killed = stores.use('prj_1', async (store) => {
    await leaveContainer(store);
    throw new Error('killed');
  });
  await expect(killed).rejects.toThrow('killed');
  await stores.use('prj_1', async () => void seen.push('beside the first'));
  await stores.use('prj_2', async () => void seen.push('elsewhere'));
  long.resolve();
  await first;
  await stores.close();
  await stores.use('prj_1', async () => void seen.push('afterwards'));
  expect(seen).toEqual(['beside the first', 'elsewhere', 'tidy prj_1', 'afterwards']);
});

test('what an earlier agent has left goes without a build', async () => {
  const { seen, open } = await testStores();
  const stores = open();
  await stores.use('prj_1', leaveContainer);
  await stores.use('prj_2', async () => {});
  await stores.close();
  expect(seen).toEqual([]);
  await open().close();
  expect(seen).toEqual(['tidy prj_1']);
});

test('a store with something in it that nobody can remove is emptied', async () => {
  const { folder, open } = await testStores();
  const stores = open();
  const killed = stores.use('prj_1', async (store) => {
    await leaveContainer(store, 'unknown');
    throw new Error('killed');
  });
  await expect(killed).rejects.toThrow('killed');
  await stores.close();
  expect(existsSync(join(folder, 'stores/prj_1/storage'))).toBe(false);
  expect(existsSync(join(folder, 'stores/prj_1'))).toBe(true);
});

test('a store that takes too much of the disk is emptied when nobody works there', async () => {
  const { folder, seen, open } = await testStores();
  const stores = open();
  const inUse = Promise.withResolvers<void>();
  const use = stores.use('prj_1', async ({ images, caches }) => {
    await writeFile(join(images, 'layer'), Buffer.alloc(1.5 * 1024 ** 2));
    await writeFile(join(caches, 'cache'), Buffer.alloc(1.5 * 1024 ** 2));
    await inUse.promise;
  });
  await stores.use('prj_1', async () => {});
  inUse.resolve();
  await use;
  await stores.close();
  expect(existsSync(join(folder, 'stores/prj_1/layer'))).toBe(true);
  expect(existsSync(join(folder, 'caches/prj_1/cache'))).toBe(false);
  await stores.use('prj_1', async ({ images, caches }) => {
    expect(existsSync(caches)).toBe(true);
    await writeFile(join(images, 'another'), Buffer.alloc(1.5 * 1024 ** 2));
  });
  await stores.close();
  expect(existsSync(join(folder, 'stores/prj_1'))).toBe(false);
  expect(seen).toEqual([]);
});
