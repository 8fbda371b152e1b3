import { ask } from '@slipway/infra';
import { expect, inject, test } from 'vitest';
import { Chance } from '../fixtures/chance.ts';
import { countingClient } from '../fixtures/counting-client.ts';
import { named } from '../fixtures/named-service.ts';
import { platform } from '../fixtures/platform.ts';
import { servicesIn } from '../fixtures/services.ts';

const { create, change, deployed, remove, rollBack } = servicesIn(platform());

const CHANGES = 30;

test(`a service that changes ${CHANGES} times under load, now and then to what it was, drops no request`, async () => {
  const chance = new Chance(inject('seed'));
  const service = await create('rolls', named('0'));
  const first = await deployed(service);
  expect(first).toMatchObject({ state: 'succeeded' });
  const stop = countingClient(service.url, 10);
  const said = ['0'];
  for (let number = 1; number <= CHANGES; number++) {
    const isBack = said.at(-1) !== '0' && chance.below(4) === 0;
    const changed = isBack
      ? await rollBack(service, first.revision)
      : await change(service, { env: { NAME: `${number}` } });
    expect(await deployed(changed)).toMatchObject({ state: 'succeeded' });
    said.push(isBack ? '0' : `${number}`);
  }
  expect((await ask(service.url)).body).toBe(said.at(-1));
  const { failures, answers } = await stop();
  expect(failures).toEqual([]);
  for (const heard of answers) expect(inOrder(heard, said)).toEqual(heard);
  await remove(service);
});

/** As many of them as are in `all` in the same order; a slow request may miss a short one. */
function inOrder(some: readonly string[], all: readonly string[]): string[] {
  let at = -1;
  return some.filter((one) => {
    at = all.indexOf(one, at + 1);
    return at >= 0;
  });
}
