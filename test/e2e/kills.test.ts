import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { instanceOf } from '@slipway/infra';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { disagreements, programs, shimOf } from '../fixtures/agreement.ts';
import { containersIn } from '../fixtures/containers.ts';
import {
  commandAnew,
  flushRedis,
  killParts,
  pidOf,
  platform,
  stateDir,
} from '../fixtures/platform.ts';
import { stagesIn } from '../fixtures/stages.ts';

/* Parts of the platform are killed while containers are in every stage of their lives. */

const { runThrough, runningOne } = stagesIn(platform());
const { get, remove, ended, kill, logs, sh, start, stop, untilItSays } = containersIn(platform());

const WITHIN = { timeout: 120_000, interval: 200 };
/** What is asked for takes about as long. */
const WITHIN_WHAT_IS_ASKED_MS = 600;

let lasting: Awaited<ReturnType<typeof runningOne>>;
beforeAll(async () => {
  lasting = await runningOne();
});
afterAll(async () => {
  await remove(lasting);
});

const PARTS = ['agent', 'logs', 'api', 'containerd', 'redis', 'postgres'];

/* Any others alone, and some at a time: test/soak/kills.test.ts. */
const VICTIMS: [string, string[]][] = [
  ['agent', ['agent']],
  ['all of them', PARTS],
];

test.for(VICTIMS)(
  '%s may be killed at any time: what was acknowledged is done, once',
  async ([, names], { onTestFailed }) => {
    const program = (await programs()).get(lasting.engineId);
    const afterMs = Math.random() * WITHIN_WHAT_IS_ASKED_MS;
    onTestFailed(() => console.error(`killed after ${afterMs} ms`));
    await runThrough(async () => {
      await delay(afterMs);
      await killParts(...names);
    });
    await expect.poll(disagreements, WITHIN).toEqual([]);
    expect(await get(lasting)).toMatchObject({ state: 'running', generation: 1 });
    expect((await programs()).get(lasting.engineId)).toBe(program);
  },
);

test('a shim that is killed takes its own container with it, and no other', async () => {
  const program = (await programs()).get(lasting.engineId);
  const one = await runningOne();
  process.kill(shimOf(one.engineId), 'SIGKILL');
  expect(await ended(one)).toMatchObject({ state: 'exited', reason: 'instance-stopped' });
  await expect.poll(disagreements, WITHIN).toEqual([]);
  expect((await programs()).get(lasting.engineId)).toBe(program);
  await remove(one);
});

test('a bundle that a killed containerd left without a shim is in no run’s way', async () => {
  const made = await sh('exit 4');
  await ended(made);
  // as far as it comes before the shim is begun
  const { runDir } = instanceOf(inject('checkoutFolder'));
  const bundle = join(
    ...[runDir, 'containerd/io.containerd.runtime.v2.task/slipway', made.engineId],
  );
  await expect.poll(() => existsSync(bundle), WITHIN).toBe(false);
  mkdirSync(join(bundle, 'rootfs'), { recursive: true });
  writeFileSync(join(bundle, 'config.json'), '{}');
  symlinkSync('/nowhere', join(bundle, 'work'));
  await start(made);
  expect(await ended(made, 2)).toMatchObject({ exitCode: 4 });
  await remove(made);
});

test('what a program wrote as nobody read it is in its log', async () => {
  const made = await sh("trap 'echo late; exit' HUP; echo up; while :; do sleep 0.05; done");
  await untilItSays(made, 'up');
  const killed = killParts('logs');
  await kill(made, 'HUP');
  await killed;
  await ended(made);
  expect(await logs(made)).toBe('up\nlate\n');
  await remove(made);
});

test('an API that is killed after it acknowledged, before it dispatched, keeps its word', async () => {
  process.kill(pidOf('redis'), 'SIGSTOP');
  const made = await sh('exit 4').finally(async () => {
    const killed = killParts('api');
    process.kill(pidOf('redis'), 'SIGCONT');
    await killed;
  });
  expect(await ended(made)).toMatchObject({ exitCode: 4 });
  await remove(made);
});

test('a Redis that forgets everything while containers are in every stage loses nothing', async () => {
  await runThrough(async () => {
    await delay(Math.random() * WITHIN_WHAT_IS_ASKED_MS);
    await flushRedis();
  });
  await expect.poll(disagreements, WITHIN).toEqual([]);
});

test('commands that come twice, late, out of order, or of what is no more change nothing', async () => {
  await runThrough(async () => {
    for (let round = 0; round < 5; round++) {
      await commandAnew(3);
      await delay(WITHIN_WHAT_IS_ASKED_MS / 5);
    }
  });
  await expect.poll(disagreements, WITHIN).toEqual([]);
});

test('a program is asked to stop once, also when the agent that asked is killed', async () => {
  const made = await sh(`n=0; trap 'n=$((n+1)); echo asked' TERM; trap 'exit $((30 + n))' HUP
    echo up; while :; do sleep 0.05; done`);
  await untilItSays(made, 'up');
  const stopSteps = () =>
    readFileSync(join(stateDir(), 'logs/agent.log'), 'utf8')
      .split('\n')
      .filter((line) => line.includes(made.engineId) && line.includes('"step":"stop"')).length;
  await stop(made, 3_600_000);
  await untilItSays(made, 'asked');
  await expect.poll(stopSteps, WITHIN).toBeGreaterThan(0);
  const before = stopSteps();
  await killParts('agent');
  await expect.poll(stopSteps, WITHIN).toBeGreaterThan(before);
  await kill(made, 'HUP');
  expect(await ended(made)).toMatchObject({ exitCode: 31, reason: 'stopped' });
  await remove(made);
});
