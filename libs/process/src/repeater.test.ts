import { expect, test, vi } from 'vitest';
import { persistently, Repeater } from './repeater.ts';

const WITHIN = { timeout: 30_000 };

test('what is asked for meanwhile is done once more, one at a time', async () => {
  const begun: PromiseWithResolvers<number | null>[] = [];
  const repeater = new Repeater(() => {
    const work = Promise.withResolvers<number | null>();
    begun.push(work);
    return work.promise;
  });
  for (let call = 0; call < 5; call++) repeater.soon();
  expect(begun).toHaveLength(1);
  begun[0]?.resolve(null);
  await vi.waitFor(() => expect(begun).toHaveLength(2), WITHIN);
  const closing = repeater.close();
  repeater.soon();
  begun[1]?.resolve(1);
  await closing;
  expect(begun).toHaveLength(2);
});

test('it is done again unasked when it says so', async () => {
  let count = 0;
  const repeater = new Repeater(async () => (++count < 3 ? 1 : null));
  repeater.soon();
  await vi.waitFor(() => expect(count).toBe(3), WITHIN);
  await repeater.close();
});

test('work that throws is told of, and done again later each time until it succeeds', async () => {
  const waits: number[] = [];
  let count = 0;
  const work = persistently(
    async () => {
      if (++count < 4) throw new Error('not yet');
      return null;
    },
    (_error, retryMs) => waits.push(retryMs),
  );
  expect([await work(), await work(), await work(), await work()]).toEqual([...waits, null]);
  expect(waits).toEqual([100, 200, 400]);
});
