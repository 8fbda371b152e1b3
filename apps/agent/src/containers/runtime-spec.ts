import { readFileSync } from 'node:fs';
import type { ContainerSpec } from '@slipway/contracts';
import type { ImageConfig } from '@slipway/oci';
import { mountsOf } from './mounts.ts';
import type { Place } from './place.ts';
import type { Seccomp } from './seccomp.ts';
import type { ProcessUser } from './user.ts';

const OCI_VERSION = '1.0.2';
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** @see runc, libcontainer: what the kernel takes */
const SHARES = { least: 2, most: 262_144 };
const CPU_PERIOD_US = 100_000;

/** Docker's default set. */
export const CAPABILITIES = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
].map((name) => `CAP_${name}`);

/** What of /proc and /sys tells of the host, or changes it. As Docker hides it. */
export const MASKED_PATHS = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];
export const READONLY_PATHS = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map(
  (name) => `/proc/${name}`,
);

/** As Docker has them: nobody needs to be root for a low port, or for ping. */
const SYSCTLS = {
  'net.ipv4.ip_unprivileged_port_start': '0',
  'net.ipv4.ping_group_range': '0 2147483647',
};

export interface RunSettings {
  hostname: string;
  place: Place;
  seccomp: Seccomp;
  spec: ContainerSpec;
  image: ImageConfig;
  user: ProcessUser;
}

export type RuntimeSpec = ReturnType<typeof runtimeSpec>;

/** Neither the image nor the container says what to run. */
export class NothingToRun extends Error {
  override name = 'NothingToRun';
}

/**
 * What the runtime is to make of an image and a container's own settings.
 * @throws NothingToRun
 * @see OCI runtime-spec, config.md and config-linux.md
 */
export function runtimeSpec(settings: RunSettings) {
  const { hostname, place, spec, image, user } = settings;
  const privileges = user.uid === 0 ? CAPABILITIES : [];
  return {
    ociVersion: OCI_VERSION,
    process: {
      user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
      args: argumentsOf(spec, image),
      env: environmentOf(settings),
      cwd: spec.workingDir ?? (image.config?.WorkingDir || '/'),
      // who is not root has none until a program gives some, as with any execve
      capabilities: { bounding: CAPABILITIES, effective: privileges, permitted: privileges },
      rlimits: [{ type: 'RLIMIT_NOFILE', ...openFileLimit() }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs' },
    hostname,
    mounts: mountsOf(place.etc),
    linux: {
      ...brought(settings),
      sysctl: SYSCTLS,
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
      resources: {
        devices: [{ allow: false, access: 'rwm' }], // the runtime allows the harmless ones
        // `swap` is both together: none
        memory: { limit: spec.memoryBytes, swap: spec.memoryBytes },
        cpu: {
          period: CPU_PERIOD_US,
          quota: Math.round(spec.cpus * CPU_PERIOD_US),
          shares: Math.min(Math.max(Math.round(spec.cpus * 1024), SHARES.least), SHARES.most),
        },
        pids: { limit: spec.pids },
      },
    },
  };
}

/** What a node brings to a spec. */
type Brought = Pick<RunSettings, 'place' | 'seccomp'>;

/**
 * One that was made earlier, as the node has it now: its checkout was moved, and what the kernel has of
 * the container with it, or the filter is another.
 */
export function renewed(spec: RuntimeSpec, node: Brought): RuntimeSpec {
  return {
    ...spec,
    mounts: mountsOf(node.place.etc),
    linux: { ...spec.linux, ...brought(node) },
  };
}

function brought({ place, seccomp }: Brought) {
  return {
    cgroupsPath: place.cgroup,
    namespaces: [
      ...['pid', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => ({ type })),
      { type: 'network', path: place.networkNamespace },
    ],
    seccomp,
  };
}

/** @see Docker, Dockerfile reference, "Understand how CMD and ENTRYPOINT interact" */
function argumentsOf({ entrypoint, command }: ContainerSpec, { config }: ImageConfig): string[] {
  const first = entrypoint ?? config?.Entrypoint ?? [];
  const rest = command ?? (entrypoint === undefined ? (config?.Cmd ?? []) : []);
  const all = [...first, ...rest];
  if (all.length > 0) return all;
  throw new NothingToRun('Neither the image nor the container has a command.');
}

function environmentOf({ spec, image, user, hostname }: RunSettings): string[] {
  const entries = [
    ['PATH', DEFAULT_PATH],
    ['HOSTNAME', hostname],
    ['HOME', user.home ?? '/'],
    ...(image.config?.Env ?? []).map((line) => line.split(/=(.*)/s, 2)),
    ...Object.entries(spec.env),
  ];
  const last = new Map(entries.map(([name = '', value = '']) => [name, value]));
  return [...last].map(([name, value]) => `${name}=${value}`);
}

/** The runtime cannot set more than its own process has. */
function openFileLimit(): { soft: number; hard: number } {
  const line = /^Max open files +(\d+|unlimited) +(\d+|unlimited)/m.exec(
    readFileSync('/proc/self/limits', 'utf8'),
  );
  const most = Number(line?.[2]);
  const hard = Math.min(Number.isFinite(most) ? most : 1_048_576, 1_048_576);
  return { soft: hard, hard };
}
