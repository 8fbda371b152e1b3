import { expect, test } from 'vitest';
import { Recent } from './recent.ts';

/** One that counts its look-ups, in a time of its own. */
function counting(answer: () => Promise<object | null>) {
  const state = { now: 1000, lookUps: 0 };
  const recent = new Recent<object>(() => state.now);
  const get = (key = 'key') =>
    recent.get(key, () => {
      state.lookUps++;
      return answer();
    });
  return { state, get };
}

test('what was found is taken for half a second, each by its own name', async () => {
  const found = { id: 'key_1' };
  const { state, get } = counting(async () => found);
  expect([await get(), await get(), state.lookUps]).toEqual([found, found, 1]);
  await get('another');
  expect(state.lookUps).toBe(2);
  state.now += 499;
  await get();
  expect(state.lookUps).toBe(2);
  state.now += 2;
  await get();
  expect(state.lookUps).toBe(3);
});

test('what was not there, or could not be looked for, is looked for again', async () => {
  const answers = [null, {}];
  const { state, get } = counting(async () => answers.shift() ?? null);
  expect([await get(), await get(), state.lookUps]).toEqual([null, {}, 2]);
  const away = counting(() => Promise.reject(new Error('away')));
  await expect(away.get()).rejects.toThrow('away');
  await expect(away.get()).rejects.toThrow('away');
  expect(away.state.lookUps).toBe(2);
});

test('a slow look-up does not make it last longer: it is as old as the question', async () => {
  const { state, get } = counting(async () => {
    state.now += 600;
    return {};
  });
  await get();
  await get();
  expect(state.lookUps).toBe(2);
});
