import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, Server } from 'node:net';
import type { Instance } from '@slipway/contracts';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stage, type TestEdge } from '../edge.fixture.ts';
import { LIMITS } from '../limits.ts';
import { IDLE_MS, Instances } from './instances.ts';
import { UnderWay } from './under-way.ts';

let stage: Stage;
let edge: TestEdge;
beforeAll(async () => {
  stage = await Stage.set();
  edge = await stage.edge();
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const hostOf = async (...instances: Instance[]) => edge.knows(await stage.route(...instances));
const post = (host: string, body: string) =>
  request(edge.url, { method: 'POST', headers: { host }, body });
const asksFor = ({ engineId }: Instance) =>
  stage.agent.asked.filter((id) => id === engineId).length;

async function expectNone(host: string): Promise<void> {
  const answer = await post(host, 'x');
  expect(answer.statusCode).toBe(503);
  expect(answer.headers).toMatchObject({ 'retry-after': '1' });
  expect(answer.headers).not.toHaveProperty('slipway-served');
  const text = await answer.body.text();
  expect(JSON.parse(text)).toMatchObject({ code: 'no-instance' });
  expect(text).not.toMatch(/127\.0|\.sock|ECONN/);
}

/** A port at which nobody listens. */
async function freePort(): Promise<number> {
  const server = new Server().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

test('an agent is asked once, by however many requests that come at once', async () => {
  const instance = await stage.container((_, response) => response.end('here'));
  const host = await hostOf(instance);
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(host, 'x')));
  for (const { statusCode, body } of answers) {
    expect(statusCode).toBe(200);
    await body.dump();
  }
  expect(asksFor(instance)).toBe(1);
});

test('an instance that has moved is found, and gets the request whole', async () => {
  const instance = await stage.container(
    (incoming, response) => incoming.pipe(response),
    '127.0.0.2',
  );
  stage.agent.addresses.set(instance.engineId, '127.0.0.1'); // where it was: nobody listens
  const host = await hostOf(instance);
  await expectNone(host);
  expect(asksFor(instance)).toBe(2);
  stage.agent.addresses.set(instance.engineId, '127.0.0.2');
  expect(await (await post(host, 'body')).body.text()).toBe('body');
});

test('an address that was right once is asked for again when it is refused', async () => {
  const old = createServer((_, response) => response.setHeader('connection', 'close').end('old'));
  const instance = await stage.container(old, '127.0.0.3');
  const host = await hostOf(instance);
  expect(await (await post(host, 'body')).body.text()).toBe('old');
  await new Promise((done) => old.close(done));
  const moved = createServer((incoming, response) => incoming.pipe(response));
  await new Promise<void>((done) => moved.listen(instance.port, '127.0.0.4', done));
  stage.agent.addresses.set(instance.engineId, '127.0.0.4');
  expect(await (await post(host, 'body')).body.text()).toBe('body');
  expect(asksFor(instance)).toBe(2);
  moved.closeAllConnections();
  moved.close();
});

test('an instance that its agent does not know, or whose agent is away, is none; it is found when it is there', async () => {
  const instance = await stage.container((_, response) => response.end('here'));
  const host = await hostOf(instance);
  stage.agent.addresses.set(instance.engineId, null);
  await expectNone(host);
  stage.agent.addresses.set(instance.engineId, '127.0.0.1');
  expect((await post(host, 'x')).statusCode).toBe(200);

  await expectNone(await hostOf({ ...instance, node: 'unix:/nowhere/agent.sock' }));
  await expectNone(await hostOf({ ...instance, port: await freePort() }));
  await expectNone(await hostOf());
  await expect
    .poll(() => edge.log)
    .toContainEqual(
      expect.objectContaining({ msg: 'an instance cannot be reached', containerId: 'ctr_1' }),
    );
});

test('an agent’s word is asked for again, since an address may be another’s by now', async () => {
  const wary = await stage.edge({ confirmEveryMs: 0 });
  const instance = await stage.container((_, response) => response.end('here'));
  const host = await wary.knows(await stage.route(instance));
  const ask = async () => {
    const { statusCode, body } = await request(wary.url, { headers: { host } });
    await body.dump();
    return statusCode;
  };
  expect([await ask(), await ask()]).toEqual([200, 200]);
  expect(asksFor(instance)).toBeGreaterThan(1);
  stage.agent.addresses.set(instance.engineId, null);
  expect(await ask()).toBe(503);
});

test('an agent that says nothing is not waited for', async () => {
  const impatient = await stage.edge({ agentTimeoutMs: 50 });
  const mute = await stage.rawContainer(() => {});
  const socket = new Server(() => {}).listen(`${stage.agent.endpoint.slice(5)}.mute`);
  const node = `${stage.agent.endpoint}.mute`;
  const host = await impatient.knows(await stage.route({ ...mute, node }));
  const answer = await request(impatient.url, { headers: { host } });
  expect(answer.statusCode).toBe(503);
  await answer.body.dump();
  socket.close();
});

test('the one that cannot be reached is passed over, the least busy one is taken', async () => {
  const gone = stage.agent.knows('127.0.0.1', await freePort());
  const held: (() => void)[] = [];
  const counts = [0, 0];
  const containers = counts.map((_, index) =>
    stage.container((_, response) => {
      counts[index] = (counts[index] ?? 0) + 1;
      held.push(() => response.end());
    }),
  );
  const host = await hostOf(gone, ...(await Promise.all(containers)));
  const answers = Array.from({ length: 6 }, async (_, index) => {
    await expect.poll(() => held.length).toBe(index); // one after the other
    return post(host, 'x');
  });
  await expect.poll(() => held.length).toBe(6);
  expect(counts).toEqual([3, 3]);
  for (const release of held) release();
  for (const { statusCode, body } of await Promise.all(answers)) {
    expect(statusCode).toBe(200);
    await body.dump();
  }
});

test('of an idle instance nothing is kept, of a busy one everything', async () => {
  const underWay = new UnderWay();
  const instances = new Instances({ ...LIMITS, confirmEveryMs: Infinity }, underWay);
  const [idle, busy] = [stage.agent.knows('127.0.0.1', 80), stage.agent.knows('127.0.0.1', 80)];
  await Promise.all([instances.reach(idle), instances.reach(busy)]);
  const route = { host: 'a', serviceId: 'svc_1', revisionId: 'rev_1', instances: [busy] };
  const end = underWay.begin(route, busy);
  instances.sweep(performance.now());
  expect(instances.count).toBe(2);
  instances.sweep(performance.now() + IDLE_MS + 1);
  expect(instances.count).toBe(1);
  expect(underWay.count(busy)).toBe(1);
  end();
  instances.sweep(performance.now() + IDLE_MS + 1);
  expect(instances.count).toBe(0);
  expect(asksFor(idle)).toBe(1);
  await instances.reach(idle);
  expect(asksFor(idle)).toBe(2);
  await instances.close();
});
