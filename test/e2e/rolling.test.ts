import { ask } from '@slipway/infra';
import { expect, test } from 'vitest';
import { containersIn } from '../fixtures/containers.ts';
import { countingClient } from '../fixtures/counting-client.ts';
import { named } from '../fixtures/named-service.ts';
import { platform } from '../fixtures/platform.ts';
import { servicesIn } from '../fixtures/services.ts';

/* Services that change while they are used. */

const { create, change, rollBack, restart, deployed, get, remove } = servicesIn(platform());
const { wait } = containersIn(platform());

test('changes under load drop no request, and nobody hears of an old one after a new one', async () => {
  const service = await create('rolling', named('1'));
  const first = await deployed(service);
  expect(first).toMatchObject({ state: 'succeeded' });
  const stop = countingClient(service.url, 20);
  const slow = ask(`${service.url}/slow`);
  const second = await deployed(await change(service, { env: { NAME: '2' } }));
  expect(second).toMatchObject({ state: 'succeeded' });
  const broken = await change(service, { command: ['node', '-e', 'process.exit(3)'] });
  expect(await deployed(broken)).toMatchObject({ state: 'failed', reason: 'instance-ended' });
  expect(await get(service)).toMatchObject({ serving: true, servingRevision: second.revision });
  expect((await ask(service.url)).body).toBe('2');
  expect(await slow).toMatchObject({ status: 200, body: '1' });

  const hasty = await change(service, named('superseded'));
  const third = await deployed(await change(service, named('3')));
  expect(third).toMatchObject({ state: 'succeeded' });
  expect(await deployed(hasty)).toMatchObject({ state: 'superseded' });
  expect((await ask(service.url)).body).toBe('3');
  const fourth = await deployed(await rollBack(service, second.revision));
  expect(fourth).toMatchObject({ state: 'succeeded', revision: second.revision });
  expect((await ask(service.url)).body).toBe('2');
  const fifth = await deployed(await restart(service));
  expect(fifth).toMatchObject({ state: 'succeeded', revision: second.revision });
  expect((await ask(service.url)).body).toBe('2');
  for (const { container } of [first, second, third, fourth])
    await wait({ id: container ?? '' }, 'removed');
  const { requests, failures, answers } = await stop();
  expect(failures).toEqual([]);
  expect(requests).toBeGreaterThan(500);
  for (const said of answers) expect(said).toEqual(['1', '2', '3', '2']);
  await remove(service);
});
