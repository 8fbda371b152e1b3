import { existsSync } from 'node:fs';
import type { Endpoints } from '@slipway/infra';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildsIn } from '../fixtures/builds.ts';
import { Checkout, type Command } from '../fixtures/checkout.ts';
import { containersIn } from '../fixtures/containers.ts';
import { leftoversOf, processesOf } from '../fixtures/leftovers.ts';
import { servicesIn } from '../fixtures/services.ts';
import { killEverythingOf, PARTS, requireUp } from '../fixtures/up.ts';

/* `npm start` and `npm stop` as a person has them, in a checkout of their own. */

let checkout: Checkout;
beforeAll(async () => {
  // longer than a socket's path may be, and what a shell or a list would take for its own
  checkout = await Checkout.create(
    `${'a folder/'.repeat(16)}it's "Slipway", {a,b} [c] * $HOME; #1`,
  );
});
afterAll(async () => {
  await checkout?.[Symbol.asyncDispose]();
});

/** The sample is built and deployed once, whatever comes after that. */
async function requireOneSample(found: Endpoints): Promise<void> {
  const services = await servicesIn(found).list();
  const builds = await buildsIn(found).list();
  expect(services.map(({ name, serving }) => ({ name, serving }))).toEqual([
    { name: 'hello-node', serving: true },
  ]);
  expect(builds).toMatchObject([{ image: 'hello-node', state: 'succeeded' }]);
  expect(services[0]?.url).toBe(found.sampleUrl);
}

test('npm start brings everything up and tells where; started twice it is one instance', async () => {
  const start = () => checkout.npm('start', '--', '--detach');
  const [one, other] = await Promise.all([start(), start()]);
  expect([one, other]).toMatchObject([{ code: 0 }, { code: 0 }]);
  const isSecond = ({ output }: Command): boolean => output.includes('Slipway runs already');
  expect([one, other].filter(isSecond)).toHaveLength(1);
  const started = isSecond(one) ? other : one;
  expect(started.output).toContain('Slipway is up.');
  const found = await requireUp(checkout);
  const { api, token, organization, project, sampleUrl = '' } = found;
  await requireOneSample(found);
  expect(started.output).toContain(sampleUrl);
  expect({ organization, project }).toEqual({ organization: 'local', project: 'default' });
  expect(started.output).toContain(api);
  expect(started.output).toContain(token);
  const names = (await checkout.processes()).map(({ name }) => name);
  expect(names.toSorted()).toEqual([...PARTS, 'supervisor'].toSorted());

  const again = await start();
  expect(again).toMatchObject({ code: 0, output: expect.stringContaining('Slipway runs already') });
  expect(again.output).toContain(token);
  expect(again.output).toContain(sampleUrl);
});

test('a variable that makes no sense is named before anything starts', async () => {
  const refused = await checkout.npmWith({ DATABASE_URL: 'mysql://db' }, 'start', '--', '--detach');
  expect(refused.code).toBe(1);
  expect(refused.output).toContain('DATABASE_URL: must begin with postgresql://');
});

test('after a SIGKILL of everything it starts again, with the same key, and knows what ran', async () => {
  const before = await checkout.endpoints();
  const { create, start, stop, get, wait } = containersIn(before);
  const sleep = async (restartPolicy: string) => {
    const command = ['sh', '-c', 'trap exit TERM; sleep 1000 & wait'];
    const made = await create({ command, restartPolicy });
    await wait(made, 'running');
    return made;
  };
  const ran = await sleep('no');
  const again = await sleep('unless-stopped');
  const stopped = { always: await sleep('always'), unlessStopped: await sleep('unless-stopped') };
  for (const made of Object.values(stopped)) {
    await stop(made, 0);
    await wait(made, 'exited');
  }
  await killEverythingOf(checkout);
  const started = await checkout.npm('start', '--', '--detach');
  expect(started).toMatchObject({ code: 0 });
  expect(await requireUp(checkout)).toEqual(before);
  await requireOneSample(before);
  expect(await wait(ran, 'exited')).toMatchObject({ exitCode: null, reason: 'instance-stopped' });
  await start(ran);
  for (const made of [ran, again, stopped.always]) {
    expect(await wait(made, 'running', 2)).toMatchObject({ generation: 2 });
  }
  expect(await get(stopped.unlessStopped)).toMatchObject({ state: 'exited', generation: 1 });
});

test('after a SIGKILL of the supervisor alone a start ends what goes on without it', async () => {
  const before = await checkout.processes();
  const supervisor = before.find(({ name }) => name === 'supervisor');
  process.kill(supervisor?.pid ?? 0, 'SIGKILL');
  const started = await checkout.npm('start', '--', '--detach');
  expect(started.output).toMatch(/cleared what a killed start left: \d+ processes/);
  await requireUp(checkout);
  const pids = new Set((await checkout.processes()).map(({ pid }) => pid));
  expect(before.filter(({ pid }) => pids.has(pid))).toEqual([]);
});

test('a sample that was deleted is not deployed again; in the foreground Ctrl-C stops it', async () => {
  const found = await checkout.endpoints();
  const { list, remove } = servicesIn(found);
  for (const service of await list()) await remove(service);
  await checkout.npm('stop');
  const start = checkout.npmStart();
  await start.said('Slipway is up.');
  const { sampleUrl: _, ...others } = found;
  expect(await checkout.endpoints()).toEqual(others);
  expect(await list()).toEqual([]);
  start.interrupt();
  const { output } = await start.ended;
  expect(output).toContain('✔ stopped postgres');
  expect(processesOf(checkout.instance)).toEqual([]);
});

test('npm stop leaves nothing outside of the folder, and can be repeated', async () => {
  expect(await checkout.npm('stop')).toMatchObject({ code: 0 });
  expect(await leftoversOf(checkout.instance)).toEqual([]);
  const again = await checkout.npm('stop');
  expect(again).toMatchObject({ code: 0, output: expect.stringContaining('Nothing was running') });
});

test('npm run reset removes the data', async () => {
  expect(existsSync(checkout.stateDir)).toBe(true);
  expect(await checkout.npm('run', 'reset')).toMatchObject({ code: 0 });
  expect(existsSync(checkout.stateDir)).toBe(false);
});

test('a database of DATABASE_URL that cannot be reached is named, its password not', async () => {
  const unreachable = { DATABASE_URL: 'postgresql://someone:secret@127.0.0.1:1/db' };
  const refused = await checkout.npmWith(unreachable, 'start');
  expect(refused.code).toBe(1);
  expect(refused.output).toContain('The database of DATABASE_URL cannot be used: connect ECONN');
  expect(refused.output).not.toContain('secret');
  expect(processesOf(checkout.instance)).toEqual([]);
});
