import { expect, test } from 'vitest';
import { Stores } from './stores.ts';

test('a store is made tidy at first and after each killed build, while nobody else works in it', async () => {
  const stores = new Stores();
  const seen: string[] = [];
  const tidy = async () => void seen.push('tidy');
  const work = (name: string, until?: Promise<unknown>) =>
    stores.use('prj_1', tidy, async () => {
      seen.push(name);
      await until;
    });
  const long = Promise.withResolvers<void>();
  const first = work('first', long.promise);
  await expect(work('killed', Promise.reject(new Error('killed')))).rejects.toThrow('killed');
  await work('beside the first');
  long.resolve();
  await first;
  await work('alone');
  await work('last');
  const expected = ['tidy', 'first', 'killed', 'beside the first', 'tidy', 'alone', 'last'];
  expect(seen).toEqual(expected);
});
