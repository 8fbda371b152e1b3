import pLimit from 'p-limit';
import { expect, test } from 'vitest';
import { disagreements } from '../fixtures/agreement.ts';
import { comeAndGo } from '../fixtures/churn.ts';
import { containersIn } from '../fixtures/containers.ts';
import { platform } from '../fixtures/platform.ts';

/* Many containers, one after the other and at a time. */

const { ended, remove, sh, stop, untilItSays, wait } = containersIn(platform());

const WITHIN = { timeout: 300_000, interval: 500 };
const SIDE_BY_SIDE = 8;
const AT_A_TIME = 200;

test('1,000 containers that came and went leave nothing behind', () => comeAndGo(1_000));

test(`${AT_A_TIME} containers run at a time, and each is stopped by its own`, async () => {
  const limit = pLimit(SIDE_BY_SIDE);
  const each = <T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> =>
    Promise.all(all.map((one) => limit(() => work(one))));
  const numbers = Array.from({ length: AT_A_TIME }, (_, number) => number);
  const containers = await each(numbers, async (number) => {
    const made = await sh(`trap 'exit ${number % 100}' TERM; echo up; while :; do sleep 1; done`);
    await untilItSays(made, 'up');
    return made;
  });
  await expect.poll(disagreements, WITHIN).toEqual([]);
  await each(containers, (container) => stop(container, 60_000));
  await each([...containers.entries()], async ([number, container]) => {
    expect(await ended(container)).toMatchObject({ exitCode: number % 100, reason: 'stopped' });
    await remove(container);
    await wait(container, 'removed');
  });
  await expect.poll(disagreements, WITHIN).toEqual([]);
});
