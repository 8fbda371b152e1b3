import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolsForTests } from '@slipway/infra';
import { expect, test } from 'vitest';
import { CAPABILITIES } from './runtime-spec.ts';
import { readSeccomp, type Seccomp, seccompOf } from './seccomp.ts';

const { ENOSYS, EPERM } = constants.errno;
const ALLOWED = { action: 'SCMP_ACT_ALLOW', args: [] };
const here = { capabilities: CAPABILITIES, architecture: 'amd64', kernel: '6.1.0-30-amd64' };
const debians = (await toolsForTests(['seccompProfile'])).fileOf('seccompProfile');

function rulesFor(call: string, { syscalls }: Seccomp = readSeccomp(debians, here)) {
  return syscalls.filter(({ names }) => names.includes(call)).map(({ names: _, ...rule }) => rule);
}

const refused = (errnoRet: number) => [{ action: 'SCMP_ACT_ERRNO', errnoRet, args: [] }];

/** Of one rule for `call`. */
function profileWith(rule: object, call = 'call') {
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    archMap: [{ architecture: 'SCMP_ARCH_X86_64' }, { architecture: 'SCMP_ARCH_AARCH64' }],
    syscalls: [{ names: [call], action: 'SCMP_ACT_ALLOW', ...rule }],
  };
}

/** Whether such a rule of a profile is one of the filter's. */
function isTaken(rule: object, more: Partial<typeof here> = {}): boolean {
  return rulesFor('call', seccompOf(profileWith(rule), { ...here, ...more })).length > 0;
}

test('a call that nobody thought of does not exist; ordinary ones do', () => {
  const filter = readSeccomp(debians, here);
  expect(filter).toMatchObject({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: ENOSYS });
  expect(rulesFor('call_of_tomorrow')).toEqual([]);
  for (const call of ['execve', 'futex', 'fork', 'chroot', 'ptrace', 'memfd_create', 'openat2']) {
    expect(rulesFor(call), call).toEqual([ALLOWED]);
  }
});

test('the runtime gets what OCI knows, with the numbers that the file has', () => {
  const { syscalls, ...rest } = readSeccomp(debians, here);
  expect(Object.keys(rest).toSorted()).toEqual([
    ...['architectures', 'defaultAction', 'defaultErrnoRet'],
  ]);
  const known = ['names', 'action', 'errnoRet', 'args'];
  expect(syscalls.flatMap(Object.keys).filter((key) => !known.includes(key))).toEqual([]);
  expect(syscalls.every(({ args }) => Array.isArray(args))).toBe(true);
  expect(rulesFor('personality').flatMap(({ args }) => args)).toContainEqual({
    ...{ index: 0, value: 4_294_967_295, valueTwo: 0, op: 'SCMP_CMP_EQ' },
  });
});

test('a filter is for the machine’s own programs: 32-bit ones are not let in by a rule of theirs', () => {
  const arm = { ...here, architecture: 'arm64' };
  expect(readSeccomp(debians, here).architectures).toEqual(['SCMP_ARCH_X86_64']);
  expect(readSeccomp(debians, arm).architectures).toEqual(['SCMP_ARCH_AARCH64']);
  expect(rulesFor('arch_prctl')).toEqual([ALLOWED]);
  expect(rulesFor('arch_prctl', readSeccomp(debians, arm))).toEqual([]);
});

test('what a capability allows is for those who have it', () => {
  const admin = { ...here, capabilities: [...CAPABILITIES, 'CAP_SYS_ADMIN'] };
  for (const call of ['bpf', 'perf_event_open', 'sethostname']) {
    expect(rulesFor(call), call).toEqual(refused(EPERM));
    expect(rulesFor(call, readSeccomp(debians, admin)), call).toEqual([ALLOWED]);
  }
  expect(isTaken({ includes: { caps: ['CAP_CHOWN', 'CAP_SYS_ADMIN'] } })).toBe(false);
  expect(isTaken({ excludes: { caps: ['CAP_CHOWN', 'CAP_SYS_ADMIN'] } })).toBe(false);
});

test('new processes and threads, but none in new namespaces', () => {
  const [clone, ...more] = rulesFor('clone');
  expect(more).toEqual([]);
  expect(clone?.action).toBe('SCMP_ACT_ALLOW');
  expect(clone?.args).toHaveLength(1);
  const { op, value = 0, valueTwo } = clone?.args?.[0] ?? {};
  expect({ op, valueTwo }).toEqual({ op: 'SCMP_CMP_MASKED_EQ', valueTwo: 0 });
  const [threadFlags, newUser, newNet] = [0x003d_0f00, 0x1000_0000, 0x4000_0000];
  expect([threadFlags, newUser, newNet].map((flags) => (flags & value) === 0)).toEqual([
    ...[true, false, false],
  ]);
  expect(rulesFor('clone3')).toEqual(refused(ENOSYS));
});

test('what the kernel would check by itself is refused all the same, whatever the profile says', () => {
  for (const call of ['unshare', 'setns', 'mount', 'fsopen', 'keyctl', 'syslog', 'reboot']) {
    expect(rulesFor(call), call).toEqual(refused(EPERM));
  }
  const generous = seccompOf(profileWith({}, 'io_uring_setup'), here);
  expect(rulesFor('io_uring_setup', generous)).toEqual(refused(ENOSYS));
});

test('sockets are of families that are kept apart by the network', () => {
  const below = { index: 0, value: 38, op: 'SCMP_CMP_LT' };
  expect(rulesFor('socket')).toEqual([{ action: 'SCMP_ACT_ALLOW', args: [below] }]);
});

test('a rule is for its architectures and kernels, by their numbers', () => {
  expect(isTaken({ includes: { arches: ['arm64', 'amd64'] } })).toBe(true);
  expect(isTaken({ includes: { arches: ['amd64'] } }, { architecture: 'arm64' })).toBe(false);
  expect(isTaken({ excludes: { arches: ['amd64'] } })).toBe(false);
  expect(isTaken({ includes: {}, excludes: {}, args: null, comment: '' })).toBe(true);
  const kernels = ['4.7.9', '4.8.0', '4.19.1-rc2', '6.1.0-30-amd64'];
  const since = kernels.map((kernel) => isTaken({ includes: { minKernel: '4.8' } }, { kernel }));
  expect(since).toEqual([false, true, true, true]);
  const until = kernels.map((kernel) => isTaken({ excludes: { minKernel: '4.8' } }, { kernel }));
  expect(until).toEqual([true, false, false, false]);
});

test('a profile that cannot be used is an error that says which, and what to do', () => {
  const folder = mkdtempSync(join(tmpdir(), 'seccomp-'));
  const file = join(folder, 'profile.json');
  const expectRefusal = (more = {}) => {
    const read = () => readSeccomp(file, { ...here, ...more });
    expect(read).toThrow(file);
    expect(read).toThrow(/install golang-github-containers-common .* SECCOMP_PROFILE/);
  };
  try {
    expectRefusal();
    const tooLarge = '{"index":0,"value":18446744073709551615,"op":"SCMP_CMP_EQ"}';
    const rounded = JSON.stringify(profileWith({ args: ['?'] })).replace('"?"', tooLarge);
    for (const text of ['', '{}', readFileSync(debians, 'utf8').slice(0, -9), rounded]) {
      writeFileSync(file, text);
      expectRefusal();
    }
    writeFileSync(file, JSON.stringify(profileWith({})));
    expectRefusal({ architecture: 'mips' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
