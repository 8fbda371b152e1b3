import { afterAll, beforeAll, expect, test } from 'vitest';
import { testRedisUrl } from '../../../../test/fixtures/redis.ts';
import { TooManyRequests } from '../http/too-many-requests.ts';
import { Guesses } from './guesses.ts';

/* Each test has addresses of its own: all tests of a run share one Redis. */

let guesses: Guesses;
beforeAll(() => {
  guesses = new Guesses(testRedisUrl());
});
afterAll(() => {
  guesses?.close();
});

const wrong = (email: string, ip: string, of = guesses) =>
  of.count({ email, ip }, async () => false);
const right = (email: string, ip: string) => guesses.count({ email, ip }, async () => true);

/** As many wrong ones, of which none is refused. */
async function guess(times: number, email: string, ip: string): Promise<void> {
  for (let time = 0; time < times; time++) expect(await wrong(email, ip)).toBe(false);
}

test('ten wrong passwords from one place, and no right one helps there for a while', async () => {
  await guess(10, 'ada', '10.0.0.1');
  await expect(right('ada', '10.0.0.1')).rejects.toThrow(TooManyRequests);
  await expect(right('ada', '10.0.0.1')).rejects.toMatchObject({
    ...{ code: 'too-many-requests', afterSeconds: expect.closeTo(900, -2) },
    message: 'Too many wrong passwords. Try again in 15 minutes.',
  });
  expect(await right('ada', '10.0.0.2')).toBe(true);
  expect(await right('grace', '10.0.0.1')).toBe(true);
});

test('a right one makes up for the wrong ones before it', async () => {
  for (let time = 0; time < 3; time++) {
    await guess(9, 'bob', '10.0.1.1');
    expect(await right('bob', '10.0.1.1')).toBe(true);
  }
});

test('of many at once no more than ten are looked at', async () => {
  let looked = 0;
  const slow = async (): Promise<boolean> => {
    looked++;
    await new Promise((soon) => setTimeout(soon, 100));
    return false;
  };
  const all = Array.from({ length: 30 }, () =>
    guesses.count({ email: 'eve', ip: '10.0.2.1' }, slow),
  );
  const ends = await Promise.allSettled(all);
  expect(looked).toBe(10);
  expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(20);
});

test('from many places it is a hundred for an account, from one place for all of them', async () => {
  for (let place = 0; place < 10; place++) await guess(10, 'mallory', `10.1.0.${place}`);
  await expect(right('mallory', '10.1.0.99')).rejects.toThrow(TooManyRequests);
  for (let account = 0; account < 10; account++) await guess(10, `user-${account}`, '10.2.0.1');
  await expect(right('user-99', '10.2.0.1')).rejects.toThrow(TooManyRequests);
});

test('who has a network of IPv6 has one place, however the address is written', async () => {
  const addresses = ['2001:db8::1', '2001:DB8:0:0:ffff::1', '2001:db8::'];
  for (let time = 0; time < 10; time++) await guess(1, 'zoe', addresses[time % 3] ?? '');
  await expect(right('zoe', '2001:db8::2')).rejects.toThrow(TooManyRequests);
  expect(await right('zoe', '2001:db8:0:1::2')).toBe(true);
  await guess(10, 'zoe', '::ffff:10.3.0.1');
  await expect(right('zoe', '10.3.0.1')).rejects.toThrow(TooManyRequests);
});

test('while Redis is away it is counted all the same', async () => {
  const alone = new Guesses('redis://127.0.0.1:1');
  for (let time = 0; time < 10; time++) await wrong('ada', '10.0.0.1', alone);
  await expect(wrong('ada', '10.0.0.1', alone)).rejects.toThrow(TooManyRequests);
  alone.close();
});
