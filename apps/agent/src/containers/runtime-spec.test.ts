import type { ContainerSpec } from '@slipway/contracts';
import type { ImageConfig } from '@slipway/oci';
import { expect, test } from 'vitest';
import { NothingToRun, renewed, runtimeSpec } from './runtime-spec.ts';

const limits = { memoryBytes: 64 << 20, cpus: 0.5, pids: 32 };
const root = { uid: 0, gid: 0, additionalGids: [], home: '/root' };

const place = { networkNamespace: '/run/netns/e', cgroup: '/slipway-x/e', etc: '/x/e' };
const seccomp = { defaultAction: 'SCMP_ACT_ERRNO', architectures: [], syscalls: [] };

function specOf(spec: Partial<ContainerSpec>, config: ImageConfig['config'], user = root) {
  const image = { os: 'linux', architecture: 'amd64', rootfs: { diff_ids: [] }, config };
  const settings = { hostname: 'h', user, image, place, seccomp };
  return runtimeSpec({ ...settings, spec: { env: {}, ...limits, ...spec } });
}

test('command and entrypoint take the place of the image’s as in Docker', () => {
  const image = { Entrypoint: ['entry'], Cmd: ['cmd'] };
  const argsOf = (spec: Partial<ContainerSpec>) => specOf(spec, image).process.args;
  expect(argsOf({})).toEqual(['entry', 'cmd']);
  expect(argsOf({ command: ['mine'] })).toEqual(['entry', 'mine']);
  expect(argsOf({ entrypoint: ['other'] })).toEqual(['other']);
  expect(argsOf({ entrypoint: [], command: ['mine'] })).toEqual(['mine']);
  expect(() => specOf({}, {})).toThrow(NothingToRun);
});

test('the environment is the image’s, the container’s own comes last', () => {
  const { env } = specOf({ env: { A: '2' } }, { Env: ['A=1', 'B=x=y'], Cmd: ['c'] }).process;
  expect(env).toContain('A=2');
  expect(env).not.toContain('A=1');
  expect(env).toContain('B=x=y');
  expect(env).toContain('HOME=/root');
  expect(env.join()).toMatch(/PATH=.*\/usr\/bin/);
});

test('who is not root has no capability, nobody gets new privileges or calls without a filter', () => {
  const { process, linux } = specOf({ command: ['c'] }, {}, { ...root, uid: 5 });
  expect(process.capabilities).toMatchObject({ effective: [], permitted: [] });
  expect(process.capabilities.bounding).not.toContain('CAP_SYS_ADMIN');
  expect(process.noNewPrivileges).toBe(true);
  expect(linux.seccomp).toEqual(seccomp);
});

test('limits are always set, swap is none', () => {
  const { resources, cgroupsPath } = specOf({ command: ['c'] }, {}).linux;
  expect(resources).toMatchObject({
    memory: { limit: 64 << 20, swap: 64 << 20 },
    cpu: { period: 100_000, quota: 50_000 },
    pids: { limit: 32 },
  });
  expect(cgroupsPath).toBe('/slipway-x/e');
  const sharesFor = (cpus: number) =>
    specOf({ command: ['c'], cpus }, {}).linux.resources.cpu.shares;
  // the kernel takes no others
  expect([0.001, 0.5, 1024].map(sharesFor)).toEqual([2, 512, 262_144]);
});

test('an earlier spec is kept, with what the node brings now; where that is the same, it is the same', () => {
  const spec = specOf({}, { Cmd: ['cmd'] });
  const there = renewed(spec, {
    place: { networkNamespace: '/run/other/e', cgroup: '/slipway-y/e', etc: '/y/e' },
    seccomp: { ...seccomp, defaultErrnoRet: 38 },
  });
  const network = { type: 'network', path: '/run/other/e' };
  expect(there.linux.namespaces).toContainEqual(network);
  expect(there.linux.cgroupsPath).toBe('/slipway-y/e');
  expect(there.mounts.map(({ source }) => source)).toContain('/y/e/hosts');
  expect(there.linux.seccomp.defaultErrnoRet).toBe(38);
  expect(JSON.stringify(renewed(there, { place, seccomp }))).toBe(JSON.stringify(spec));
});
