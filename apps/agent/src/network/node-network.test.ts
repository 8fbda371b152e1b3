import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toolsForTests } from '@slipway/infra';
import { exec } from '@slipway/process';
import { beforeAll, expect, test } from 'vitest';

// biome-ignore lint/suspicious/noExplicitAny: what isolation.fixture.ts found
let found: any;
beforeAll(async () => {
  const tools = await toolsForTests(['ip', 'nft', 'cni', 'busybox']);
  const folder = mkdtempSync(join(tmpdir(), 'slipway-network-'));
  const script = fileURLToPath(new URL('./isolation.fixture.ts', import.meta.url));
  const apart = ['--net', '--mount', '--propagation', 'private'];
  const { stdout } = await exec(
    'unshare',
    [...apart, process.execPath, script, folder, dirname(tools.fileOf('cni'))],
    { env: { PATH: tools.path } },
  );
  rmSync(folder, { recursive: true });
  found = JSON.parse(stdout);
});

test('a container reaches its project and its own resolver, and is reached by its project and its node only', () => {
  expect(found.withRules).toEqual(['neighbour', 'resolver', 'resolverByTcp', 'fromNode']);
});

test('that is the rules’ doing: without them everybody is reached', () => {
  expect(found.withoutRules).toEqual([
    ...['neighbour', 'otherProject', 'node', 'nodeElsewhere', 'outside'],
    ...['resolver', 'resolverByTcp', 'otherResolver', 'fromNode', 'fromOutside'],
    ...['neighbour, by a forged address'],
  ]);
  expect(found.putBack).toEqual(found.withRules);
});

test('a bridge is one project’s as long as it has somebody there, and goes after that', () => {
  expect(found.used.toSorted()).toEqual(['slt-0', 'slt-1']);
  expect(found.refused).toContain('slt-1 is still that of "sub_1 10.9.1.1/24"');
  expect(found.left).toEqual(['slt-1']);
  expect(found.namespaces).toEqual(['d', 'outside']);
});
