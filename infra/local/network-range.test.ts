import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '@slipway/process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freeRange } from './network-range.ts';
import { toolsForTests } from './packages/for-tests.ts';
import type { Toolbox } from './packages/index.ts';

/* On a machine of its own as far as its network goes: a namespace, which `ip` is run in. */

let folder: string;
let machine: Toolbox;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-range-'));
  const tools = await toolsForTests(['ip']);
  const ip = tools.fileOf('ip');
  const namespace = join(folder, 'netns');
  writeFileSync(namespace, '');
  const commands = `link set lo up
    address add 10.1.2.3/24 dev lo
    route add 10.2.0.0/30 dev lo
    route add default dev lo
    route add 10.4.0.0/15 dev lo table 77`;
  await exec('unshare', [`--net=${namespace}`, ip, '-batch', '-'], { input: commands });
  const wrapper = join(folder, 'ip');
  writeFileSync(wrapper, `#!/bin/sh\nexec nsenter --net=${namespace} ${ip} "$@"\n`);
  chmodSync(wrapper, 0o755);
  machine = { ...tools, fileOf: () => wrapper };
});
afterAll(async () => {
  await exec('umount', [join(folder, 'netns')], { allowFailure: true });
  rmSync(folder, { recursive: true });
});

test('the search begins at the instance’s own number', async () => {
  expect(await freeRange('00002a', null, [], machine)).toBe('10.42.0.0/16');
  expect(await freeRange('0001ff', null, [], machine)).toBe('10.255.0.0/16');
});

test('what was used last is used again while it is free', async () => {
  expect(await freeRange('00002a', '10.9.0.0/16', [], machine)).toBe('10.9.0.0/16');
  expect(await freeRange('00002a', '10.1.0.0/16', [], machine)).toBe('10.42.0.0/16');
});

test('addresses, routes of every table and other instances are left alone', async () => {
  expect(await freeRange('000001', null, [], machine)).toBe('10.3.0.0/16');
  expect(await freeRange('000001', null, ['10.3.0.0/16'], machine)).toBe('10.6.0.0/16');
});

test('when nothing is left it says what to look at', async () => {
  await expect(freeRange('000001', null, ['10.0.0.0/8'], machine)).rejects.toThrow(/ip route/);
});
