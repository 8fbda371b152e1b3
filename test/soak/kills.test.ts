import { setTimeout as delay } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { disagreements, programs } from '../fixtures/agreement.ts';
import { buildStagesIn } from '../fixtures/build-stages.ts';
import { Chance } from '../fixtures/chance.ts';
import { containersIn } from '../fixtures/containers.ts';
import { killParts, platform } from '../fixtures/platform.ts';
import { stagesIn } from '../fixtures/stages.ts';

/* Parts of the platform are killed, some of them at a time, again and again. */

const { runThrough, runningOne } = stagesIn(platform());
const { buildThrough } = buildStagesIn(platform());
const { get, remove } = containersIn(platform());

const WITHIN = { timeout: 300_000, interval: 500 };
const PARTS = ['agent', 'logs', 'api', 'containerd', 'redis', 'postgres', 'edge'];
const ROUNDS = 20;
const WITHIN_MS = 1_500;

test(`${ROUNDS} times some parts are killed while containers and builds are in every stage: all ends as it should`, async () => {
  const chance = new Chance(inject('seed'));
  const lasting = await runningOne();
  const program = (await programs()).get(lasting.engineId);
  for (let round = 1; round <= ROUNDS; round++) {
    const names = chance.some(PARTS);
    const afterMs = chance.below(WITHIN_MS);
    console.log(`round ${round}: ${names.join(', ')} after ${afterMs} ms`);
    await buildThrough(() =>
      runThrough(async () => {
        await delay(afterMs);
        await killParts(...names);
      }),
    );
    await expect.poll(disagreements, WITHIN).toEqual([]);
  }
  expect(await get(lasting)).toMatchObject({ state: 'running', generation: 1 });
  expect((await programs()).get(lasting.engineId)).toBe(program);
  await remove(lasting);
});
