import { instanceOf } from '@slipway/infra';
import { expect, inject, test } from 'vitest';
import { containerdOf } from '../fixtures/containerd.ts';

test('a filesystem that an earlier attempt made is kept by the lease of the next', async () => {
  const containerd = containerdOf(instanceOf(inject('checkoutFolder')), 'test');
  const { leases, snapshots } = containerd;
  await leases.during(async (later) => {
    await leases.during(async (earlier) => {
      const made = await snapshots.prepare('one', '', { lease: earlier });
      await snapshots.prepare('two', '', { lease: earlier });
      expect(await snapshots.prepare('one', '', { lease: later })).toEqual(made);
    });
    await leases.during((lease) => leases.end(lease, { sync: true }));
    expect(await snapshots.has('one')).toBe(true);
    expect(await snapshots.has('two')).toBe(false);
    await leases.end(later, { sync: true });
    expect(await snapshots.has('one')).toBe(false);
  });
  containerd.close();
});
