import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { z } from 'zod';

/** Whose system calls are filtered, and on which machine. */
interface Confined {
  capabilities: readonly string[];
  /** in Go's words, as images have it */
  architecture: string;
  /** as `uname -r` says it */
  kernel: string;
}

/** In libseccomp's words. */
const ARCHITECTURES: Partial<Record<string, string>> = {
  amd64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
};

// No number that a double does not hold: a filter is not to be rounded.
const UintSchema = z.int().nonnegative();
const ConditionSchema = z.object({
  index: UintSchema,
  value: UintSchema,
  valueTwo: UintSchema.optional(),
  op: z.string(),
});
const CircumstancesSchema = z
  .object({
    caps: z.array(z.string()).default([]),
    arches: z.array(z.string()).default([]),
    minKernel: z.string().optional(),
  })
  .prefault({});
/**
 * Docker's format, as far as it says something to the runtime.
 * @see moby/profiles, seccomp/seccomp.go
 */
const ProfileSchema = z.object({
  defaultAction: z.string(),
  defaultErrnoRet: UintSchema.optional(),
  archMap: z.array(z.object({ architecture: z.string() })),
  syscalls: z.array(
    z.object({
      names: z.array(z.string()),
      action: z.string(),
      errnoRet: UintSchema.optional(),
      args: z.array(ConditionSchema).nullable().default([]),
      includes: CircumstancesSchema,
      excludes: CircumstancesSchema,
    }),
  ),
});

type Circumstances = z.infer<typeof CircumstancesSchema>;
type Rule = Omit<z.infer<typeof ProfileSchema>['syscalls'][number], 'includes' | 'excludes'>;

/** @see OCI runtime-spec, config-linux.md, "Seccomp" */
export type Seccomp = ReturnType<typeof seccompOf>;

/** @throws Error naming the file, and what to do */
export function readSeccomp(file: string, confined: Confined): Seccomp {
  try {
    return seccompOf(JSON.parse(readFileSync(file, 'utf8')), confined);
  } catch (cause) {
    const remedy =
      'install golang-github-containers-common (again), or let SECCOMP_PROFILE name another file in Docker’s format';
    throw new Error(`${file} is no seccomp profile for this machine: ${remedy}.`, { cause });
  }
}

/**
 * What the runtime is to make of a profile in Docker's format, tightened by our rules, for programs of
 * the machine's own kind: docs/decisions/0011-system-calls.md says why 32-bit ones cannot run.
 * @throws Error when it is none, or has nothing for the architecture
 */
export function seccompOf(profile: unknown, confined: Confined) {
  const { archMap, syscalls, ...defaults } = ProfileSchema.parse(profile);
  const native = ARCHITECTURES[confined.architecture];
  if (native === undefined || !archMap.some(({ architecture }) => architecture === native))
    throw new Error(`It has no rules for ${confined.architecture}.`);
  const ours = new Set(OUR_RULES.flatMap(({ names }) => names));
  const theirs = syscalls.flatMap(({ includes, excludes, ...rule }): Rule[] => {
    const isMeant =
      answers(includes, confined).every(Boolean) && !answers(excludes, confined).some(Boolean);
    const names = rule.names.filter((name) => !ours.has(name));
    return isMeant && names.length > 0 ? [{ ...rule, names }] : [];
  });
  return {
    ...defaults,
    architectures: [native],
    syscalls: [...theirs, ...OUR_RULES],
  };
}

/** Of each circumstance, whether it is so. */
function answers(
  { caps, arches, minKernel }: Circumstances,
  { capabilities, architecture, kernel }: Confined,
): boolean[] {
  return [
    ...caps.map((name) => capabilities.includes(name)),
    ...(arches.length === 0 ? [] : [arches.includes(architecture)]),
    ...(minKernel === undefined ? [] : [isAtLeast(kernel, minKernel)]),
  ];
}

function isAtLeast(version: string, least: string): boolean {
  return version.localeCompare(least, 'en', { numeric: true }) >= 0;
}

const { ENOSYS, EPERM } = constants.errno;
/** All that `clone` can make: `CLONE_NEWNS`, `NEWCGROUP`, `NEWUTS`, `NEWIPC`, `NEWUSER`, `NEWPID`, `NEWNET`. */
const NEW_NAMESPACES = 0x7e02_0000;
const AF_ALG = 38;

/**
 * They take the place of the profile's for the same calls, and are what Docker's own comes to, or less.
 * Debian's file is Podman's: what needs a capability it leaves to the kernel to refuse. But in a user
 * namespace of its own making a program has them all, and reaches the kernel's code for mounts and
 * networks, where many ways out of containers began.
 */
const OUR_RULES: readonly Rule[] = [
  refused(EPERM, [
    ...['unshare', 'setns'],
    ...['mount', 'umount', 'umount2', 'pivot_root', 'mount_setattr', 'move_mount', 'open_tree'],
    ...['fsconfig', 'fsmount', 'fsopen', 'fspick', 'fanotify_init'],
    ...['add_key', 'keyctl', 'request_key'], // the kernel's keys know no namespaces
    ...['get_mempolicy', 'mbind', 'set_mempolicy', 'set_mempolicy_home_node'],
    ...['pidfd_getfd', 'reboot', 'syscall', 'syslog'],
  ]),
  allowedIf('clone', { index: 0, value: NEW_NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }),
  // Its flags are in memory, where no filter sees them; who has none takes `clone`.
  refused(ENOSYS, ['clone3']),
  // What is asked for through a ring passes no filter, and its code had the most holes of all.
  // https://github.com/moby/moby/pull/46762
  refused(ENOSYS, ['io_uring_enter', 'io_uring_register', 'io_uring_setup']),
  // Nobody needs the kernel's cryptography, nor the families after it, such as AF_VSOCK, which reaches
  // the machine's own host past all networks. "All but these two", as Docker has it, can be fooled: a
  // filter compares 64 bits, of which the kernel takes 32.
  allowedIf('socket', { index: 0, value: AF_ALG, op: 'SCMP_CMP_LT' }),
];

function refused(errnoRet: number, names: string[]): Rule {
  return { names, action: 'SCMP_ACT_ERRNO', errnoRet, args: [] };
}

function allowedIf(name: string, condition: z.infer<typeof ConditionSchema>): Rule {
  return { names: [name], action: 'SCMP_ACT_ALLOW', args: [condition] };
}
