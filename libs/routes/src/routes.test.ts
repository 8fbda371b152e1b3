import type { Route, RouteChange } from '@slipway/contracts';
import { startThrowawayRedis } from '@slipway/infra';
import { connect } from '@slipway/redis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { RoutePublisher } from './route-publisher.ts';
import { RouteTable } from './route-table.ts';

/* One Redis, which every test uses up: each goes on with the versions of those before it. */

const WITHIN = { timeout: 30_000 };

let redis: Awaited<ReturnType<typeof startThrowawayRedis>>;
let publisher: RoutePublisher;
const opened: RouteTable[] = [];
let version = 0;
beforeAll(async () => {
  redis = await startThrowawayRedis();
  publisher = new RoutePublisher(redis.url);
  await vi.waitFor(() => publisher.version(), WITHIN);
});
afterAll(async () => {
  await Promise.all(opened.map((table) => table.close()));
  publisher?.close();
  await redis?.[Symbol.asyncDispose]();
});

async function open(): Promise<RouteTable> {
  const table = await RouteTable.open(redis.url);
  opened.push(table);
  return table;
}

function routeTo(host: string, engineId: string): Route {
  const instance = { node: 'unix:/agent.sock', engineId, containerId: 'ctr_1', port: 80 };
  return { host, serviceId: 'svc_1', revisionId: 'rev_1', instances: [instance] };
}

function change(host: string, route: Route | null): RouteChange {
  version++;
  return { version, host, route };
}

async function publish(...changes: RouteChange[]): Promise<boolean> {
  return publisher.publish(await publisher.version(), changes);
}

/** Everything told so far has arrived: so has this. */
async function settled(table: RouteTable): Promise<void> {
  const host = `marker-${version}`;
  await publish(change(host, routeTo(host, 'marker')));
  await vi.waitFor(() => expect(table.find(host)).not.toBeNull(), WITHIN);
}

async function breakConnections(): Promise<void> {
  const connection = connect(redis.url, { maxRetriesPerRequest: null });
  for (const type of ['pubsub', 'normal']) await connection.call('CLIENT', 'KILL', 'TYPE', type);
  connection.disconnect();
}

async function flush(): Promise<void> {
  const connection = connect(redis.url, { maxRetriesPerRequest: null });
  await connection.flushall();
  connection.disconnect();
}

test('a table has what was published before it was opened, and what is published later', async () => {
  await publish(change('a', routeTo('a', '1')), change('b', routeTo('b', '1')));
  const table = await open();
  expect(table.find('a')).toEqual(routeTo('a', '1'));
  expect(table.find('nowhere')).toBeNull();
  await publish(change('a', routeTo('a', '2')), change('b', null));
  await settled(table);
  expect(table.find('a')?.instances[0]?.engineId).toBe('2');
  expect(table.find('b')).toBeNull();
  expect((await open()).find('b')).toBeNull();
});

test('who publishes behind another’s back is refused, and has changed nothing', async () => {
  const before = await publisher.version();
  expect(await publisher.publish(before, [change('c', routeTo('c', '1'))])).toBe(true);
  expect(await publisher.publish(before, [change('c', routeTo('c', 'late'))])).toBe(false);
  expect((await open()).find('c')?.instances[0]?.engineId).toBe('1');
});

test('what changed while the connection was broken is known when it is back', async () => {
  const table = await open();
  await publish(change('d', routeTo('d', '1')), change('e', routeTo('e', '1')));
  await settled(table);
  await breakConnections();
  await vi.waitFor(() => publish(change('d', null), change('e', routeTo('e', '2'))), WITHIN);
  await vi.waitFor(() => expect(table.find('d')).toBeNull(), WITHIN);
  await vi.waitFor(() => expect(table.find('e')?.instances[0]?.engineId).toBe('2'), WITHIN);
});

test('a Redis that has lost everything takes nothing away, and is filled again from the start', async () => {
  const table = await open();
  await publish(change('f', routeTo('f', '1')));
  await settled(table);
  await flush();
  await breakConnections();
  expect(await vi.waitFor(() => publisher.version(), WITHIN)).toBe(0);
  const later = await open();
  expect(later.find('f')).toBeNull();
  expect(table.find('f')).not.toBeNull();
  await publish({ version: 1, host: 'f', route: routeTo('f', '1') }, change('g', null));
  await settled(later);
  await settled(table);
  expect(later.find('f')).toEqual(table.find('f'));
});

test('an edge tells of a version when it has all routes of it, and of nothing once it is closed', async () => {
  const table = await open();
  await table.report(['1']);
  expect(await publisher.edges()).toEqual([{ version, leaving: ['1'] }]);
  await breakConnections();
  await vi.waitFor(() => publish(change('m', routeTo('m', '2'))), WITHIN);
  await vi.waitFor(async () => {
    await table.report([]);
    expect(await publisher.edges()).toEqual([{ version, leaving: [] }]);
  }, WITHIN);
  expect(table.find('m')?.instances[0]?.engineId).toBe('2');
  const closed = table.close();
  await table.report([]);
  await closed;
  expect(await publisher.edges()).toEqual([]);
});

test('what an edge is to tell as it closes is told, and nothing after', async () => {
  const table = await open();
  const told = table.tellServed(new Map([['svc_1', 1]]));
  const closed = table.close();
  await table.tellServed(new Map([['svc_1', 2]]));
  await Promise.all([told, closed]);
  expect(await publisher.served()).toMatchObject([{ bytes: 1, isGone: true }]);
});
