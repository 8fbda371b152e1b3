import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

test('works of one key are done one after the other, also after one that failed', async () => {
  const turns = new Turns();
  const said: string[] = [];
  const work = (name: string) => async () => {
    said.push(`${name} begins`);
    await new Promise(setImmediate);
    said.push(`${name} ends`);
    if (name === 'first') throw new Error(name);
  };
  const first = turns.take('one', work('first'));
  const second = turns.take('one', work('second'));
  const other = turns.take('another', work('other'));
  await expect(first).rejects.toThrow('first');
  await Promise.all([second, other]);
  expect(said.indexOf('first ends')).toBeLessThan(said.indexOf('second begins'));
  expect(said.indexOf('other begins')).toBeLessThan(said.indexOf('first ends'));
  await turns.take('one', work('third'));
  expect(said.at(-1)).toBe('third ends');
});
