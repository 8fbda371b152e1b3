import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '@slipway/process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimFileOf } from '../claim.ts';
import { writeWhole } from '../files.ts';
import { takeHold } from '../hold.ts';
import { type Instance, instanceOf } from '../instance.ts';
import { toolsForTests } from '../packages/for-tests.ts';
import type { Toolbox } from '../packages/index.ts';
import { startTimeOf } from '../process.ts';
import { reap, reapOthers } from './reaper.ts';

const CHECKOUT = join(import.meta.dirname, '../../..');

let tools: Toolbox;
let dead: Instance;
beforeEach(async () => {
  tools = await toolsForTests(['ip', 'nft']);
  dead = instanceOf(await mkdtemp(join(tmpdir(), 'slipway-reaper-')));
});
afterEach(async () => {
  await reap(dead, tools);
  await rm(dead.checkout, { recursive: true });
});

/** What a killed instance can leave: one of each. */
async function leaveEverything(): Promise<{ pids: number[]; cgroups: string[] }> {
  const { id, runDir, stateDir } = dead;
  const ip = (...args: string[]) => exec(tools.fileOf('ip'), args);
  mkdirSync(join(runDir, 'mounted'), { recursive: true });
  mkdirSync(stateDir);
  writeWhole(claimFileOf(dead), {
    checkout: dead.checkout,
    ports: {},
    networkRange: '10.0.0.0/16',
  });
  await exec('mount', ['-t', 'tmpfs', 'none', join(runDir, 'mounted')]);
  await exec('mount', ['-t', 'tmpfs', 'none', join(runDir, 'mounted')]); // one over the other
  await ip('link', 'add', `sl${id}-aaaaaa`, 'type', 'bridge');
  const netns = join(runDir, 'netns');
  writeFileSync(netns, '');
  await exec('unshare', [`--net=${netns}`, 'true']);
  await ip('link', 'add', `veth${id}`, 'type', 'veth', 'peer', 'eth0', 'netns', netns);
  await ip('link', 'set', `veth${id}`, 'master', `sl${id}-aaaaaa`);
  await exec(tools.fileOf('nft'), ['add', 'table', 'inet', `slipway_${id}`]);
  const bundle = join(runDir, 'containerd/io.containerd.runtime.v2.task/slipway/ctr');
  mkdirSync(bundle, { recursive: true });
  mkdirSync('/run/containerd/s', { recursive: true });
  writeFileSync(shimSocket(), '');
  writeFileSync(join(bundle, 'address'), `unix://${shimSocket()}`);
  const spawned = [
    spawn('sleep', ['1000'], { env: { SLIPWAY_HOME: stateDir }, stdio: 'ignore' }),
    spawn('sleep', ['1000'], { env: {}, stdio: 'ignore' }), // known by its cgroup only
  ];
  const pids = spawned.map(({ pid }) => pid ?? 0);
  const names = [`slipway-${id}/ctr`, `slipway-${id}-builds/build`];
  const cgroups = cgroupFolders().flatMap((path) => names.map((name) => join(path, name)));
  for (const cgroup of cgroups) {
    mkdirSync(cgroup, { recursive: true });
    if (cgroup.includes('cpuset')) continue; // takes no process before it has CPUs
    writeFileSync(join(cgroup, 'cgroup.procs'), String(pids[1]));
  }
  return { pids, cgroups };
}

/** Of each hierarchy. */
function cgroupFolders(): string[] {
  return readdirSync('/sys/fs/cgroup')
    .map((name) => join('/sys/fs/cgroup', name))
    .concat('/sys/fs/cgroup')
    .filter((path) => existsSync(join(path, 'cgroup.procs')));
}

function shimSocket(): string {
  return `/run/containerd/s/test-${dead.id}`;
}

async function left(): Promise<string> {
  const links = readdirSync('/sys/class/net');
  const tables = await exec(tools.fileOf('nft'), ['list', 'tables']);
  const mounts = await exec('cat', ['/proc/self/mounts']);
  const claims = readdirSync('/run/slipway');
  const sockets = readdirSync('/run/containerd/s');
  return [...links, tables.stdout, mounts.stdout, ...claims, ...sockets]
    .join('\n')
    .split('\n')
    .filter((line) => line.includes(dead.id))
    .join('\n');
}

test('everything that a killed instance left is cleared; its data is not', async () => {
  const { pids, cgroups } = await leaveEverything();
  writeFileSync(join(dead.stateDir, 'data'), 'kept');
  expect((await left()).split('\n').length).toBeGreaterThan(5);
  const found = await reap(dead, tools);
  const cgroupsFound = [dead.id, `${dead.id}-builds`].map((name) => `the cgroup slipway-${name}`);
  expect(found).toEqual(['1 process', ...cgroupsFound, '3 mounts', '2 network objects']);
  expect(await left()).toBe('');
  expect(pids.map(startTimeOf)).toEqual([null, null]);
  expect(cgroups.filter(existsSync)).toEqual([]);
  expect(existsSync(join(dead.stateDir, 'data'))).toBe(true);
  expect(await reap(dead, tools)).toEqual([]);
});

test('also one whose folders are gone is known by its names in the kernel', async () => {
  const { id } = dead;
  const cgroups = [`cgroup slipway-${id}`, `cgroup slipway-${id}-builds`];
  const names = [`bridge sl${id}-aaaaaa`, `table slipway_${id}`, ...cgroups];
  for (const name of names) {
    const [kind, made = ''] = name.split(' ');
    if (kind === 'bridge') await exec(tools.fileOf('ip'), ['link', 'add', made, 'type', 'bridge']);
    if (kind === 'table') await exec(tools.fileOf('nft'), ['add', 'table', 'inet', made]);
    if (kind === 'cgroup') mkdirSync(join(cgroupFolders()[0] ?? '', made));
    const found = await reapOthers(instanceOf(CHECKOUT), tools);
    expect(found, name).toHaveLength(1);
    expect(found[0]).toContain(id);
  }
});

test('another instance is cleared when nobody holds it, and left alone when somebody does', async () => {
  const { pids } = await leaveEverything();
  const own = instanceOf(CHECKOUT);
  const hold = await takeHold(dead);
  await reapOthers(own, tools);
  expect(startTimeOf(pids[0] ?? 0)).not.toBeNull();
  await hold?.release();
  const found = await reapOthers(own, tools);
  expect(found).toContain(`1 process of ${dead.checkout}`);
  expect(startTimeOf(pids[0] ?? 0)).toBeNull();
});
