import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Stage, type TestEdge } from './edge.fixture.ts';

let stage: Stage;
let edge: TestEdge;
beforeAll(async () => {
  stage = await Stage.set();
  edge = await stage.edge();
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
});

const says = (text: string) => stage.container((_, response) => response.end(text));

test('an edge tells which routes it has, and to what they no longer lead while something is under way there', async () => {
  const arrived = Promise.withResolvers<() => void>();
  const old = await stage.container((_, response) => {
    response.write('begun ');
    arrived.resolve(() => response.end('ended'));
  });
  const host = await edge.knows(await stage.route(old));
  const asked = request(edge.url, { headers: { host } });
  const release = await arrived.promise;
  const routed = await stage.reroute(host, old, await says('new'));
  await expect.poll(() => stage.edges()).toEqual([{ version: routed, leaving: [] }]);
  const version = await stage.reroute(host, await says('new'));
  await expect.poll(() => stage.edges()).toEqual([{ version, leaving: [old.engineId] }]);
  expect(await (await request(edge.url, { headers: { host } })).body.text()).toBe('new');
  release();
  expect(await (await asked).body.text()).toBe('begun ended');
  await expect.poll(() => stage.edges()).toEqual([{ version, leaving: [] }]);
});

test('a request whose instance is gone before it gets there goes to the one that has its place', async () => {
  const old = await says('old');
  const answer = Promise.withResolvers<null>();
  stage.agent.addresses.set(old.engineId, answer.promise);
  const host = await edge.knows(await stage.route(old));
  const asked = request(edge.url, { method: 'POST', headers: { host }, body: 'x' });
  await expect.poll(() => stage.agent.asked).toContain(old.engineId);
  const version = await stage.reroute(host, await says('new'));
  await expect.poll(() => stage.edges()).toEqual([{ version, leaving: [old.engineId] }]);
  answer.resolve(null);
  const { statusCode, body } = await asked;
  expect([statusCode, await body.text()]).toEqual([200, 'new']);
});

test('an edge that has ended is none any more, one that starts is', async () => {
  await expect.poll(() => stage.edges()).toHaveLength(1);
  const another = await stage.edge();
  await expect.poll(() => stage.edges()).toHaveLength(2);
  await another.close();
  expect(await stage.edges()).toHaveLength(1);
});
