import type { Address } from '@slipway/contracts';
import { openDatabase } from '@slipway/db';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import { joinTestNode, type TestNode } from '../testing/node.fixture.ts';

const P = '/v1/organizations/local/projects/default/containers';

let api: TestApi;
let node: TestNode;
beforeEach(async () => {
  api = await startTestApi();
  node = await joinTestNode(api);
  await pushTestImage(api, 'library/busybox', 'latest');
});
afterEach(async () => {
  await node?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

interface Made {
  id: string;
  engineId: string;
}

async function create(path = P, token = api.token): Promise<Made> {
  const answer = await api.call('POST', path, { body: { image: 'busybox' }, token });
  expect(answer).toMatchObject({ status: 202 });
  return answer.body;
}

const addressOf = async ({ engineId }: Made): Promise<Address | undefined> =>
  (await node.calls.containerOrder({ nodeId: node.id, engineId })).order?.address;

async function remove({ id, engineId }: Made): Promise<void> {
  await api.call('DELETE', `${P}/${id}?force=true`);
  const removed = {
    nodeId: node.id,
    engineId,
    observation: { state: 'removed', run: null },
  } as const;
  await node.calls.reportContainer(removed);
}

test('containers made at once share their project’s subnet, each with an address of its own', async () => {
  const made = await Promise.all(Array.from({ length: 20 }, () => create()));
  const addresses = await Promise.all(made.map(addressOf));
  expect(addresses[0]).toMatchObject({ index: 0, gateway: '10.99.0.1', prefixLength: 24 });
  expect(new Set(addresses.map((address) => address?.subnetId)).size).toBe(1);
  const hosts = addresses.map((address) => Number(address?.address.split('.')[3]));
  expect(hosts.toSorted((a, b) => a - b)).toEqual(hosts.map((_, index) => index + 2));
});

test('projects that come at once have subnets of their own', async () => {
  const slugs = ['one', 'two', 'three', 'four'];
  const tenants = await Promise.all(slugs.map((slug) => api.addTenant(slug)));
  const made = await Promise.all(
    tenants.map(({ token }, index) =>
      create(`/v1/organizations/${slugs[index]}/projects/web/containers`, token),
    ),
  );
  const addresses = await Promise.all([create(), ...made].map(async (one) => addressOf(await one)));
  expect(addresses.map((address) => address?.index).toSorted()).toEqual([0, 1, 2, 3, 4]);
});

test('an address is kept until its container is gone, and not given out again at once', async () => {
  const [first, second] = [await create(), await create()];
  await api.call('DELETE', `${P}/${first.id}?force=true`);
  expect(await addressOf(first)).toMatchObject({ address: '10.99.0.2' });
  await remove(first);
  expect(await addressOf(await create())).toMatchObject({ address: '10.99.0.4' });
  expect(await addressOf(second)).toMatchObject({ address: '10.99.0.3' });
});

test('a subnet goes with its last container; the next project has another', async () => {
  const made = await create();
  const before = await addressOf(made);
  await remove(made);
  const { token } = await api.addTenant('next');
  const next = await create('/v1/organizations/next/projects/web/containers', token);
  const after = await addressOf(next);
  expect(before).toMatchObject({ index: 0, address: '10.99.0.2' });
  expect(after).toMatchObject({ index: 1, address: '10.99.1.2' });
  expect(after?.subnetId).not.toBe(before?.subnetId);
  // the last one behind which none is left: then it begins again
  const database = openDatabase(api.databaseUrl);
  await database.prisma.node.updateMany({ data: { lastIndex: 255 } });
  await database.close();
  const { token: other } = await api.addTenant('other');
  const again = await create('/v1/organizations/other/projects/web/containers', other);
  expect(await addressOf(again)).toMatchObject({ index: 0 });
});

test('a full subnet refuses one more, and takes it when one is gone', async () => {
  const made = await Promise.all(Array.from({ length: 253 }, () => create()));
  const refused = await api.call('POST', P, { body: { image: 'busybox' } });
  expect(refused).toMatchObject({ status: 409, body: { code: 'state-conflict' } });
  expect(refused.body.detail).toContain('253 containers');
  const freed = made[100] as Made;
  const address = await addressOf(freed);
  await remove(freed);
  expect(await addressOf(await create())).toEqual(address);
});

test('when the node’s range is another, the same places are in it', async () => {
  const made = await create();
  await node.announce({ networkRange: '10.7.0.0/16' });
  expect(await addressOf(made)).toMatchObject({ gateway: '10.7.0.1', address: '10.7.0.2' });
});
