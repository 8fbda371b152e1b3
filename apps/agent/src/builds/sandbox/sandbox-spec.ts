import { CAPABILITIES, MASKED_PATHS, READONLY_PATHS } from '../../containers/runtime-spec.ts';

/** A folder of the node's that is seen in a sandbox. */
export interface SandboxMount {
  from: string;
  /** absolute, in the sandbox */
  to: string;
  isWritable: boolean;
}

export interface SandboxSpec {
  /** that of the sandbox and all that runs in it */
  cgroup: string;
  /** file of its network namespace */
  namespace: string;
  mounts: readonly SandboxMount[];
  /** program and arguments, by the node's own files below /usr */
  command: readonly string[];
}

const OCI_VERSION = '1.0.2';
export const MEMORY_BYTES = 2 * 1024 ** 3;
const MAX_PROCESSES = 4096;
const MAX_FILE_BYTES = 10 * 1024 ** 3;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A container's, and what it takes to mount layers and to start containers. */
const PRIVILEGES = [...CAPABILITIES, 'CAP_NET_ADMIN', 'CAP_SYS_ADMIN'];

const LOCKED = ['nosuid', 'nodev'];
const memory = (destination: string, size: string) => {
  const options = [...LOCKED, 'mode=755', `size=${size}`];
  return { destination, type: 'tmpfs', source: 'tmpfs', options };
};
/** What is below a mount of the node's stays out. */
const shared = (from: string, to: string, ...options: string[]) => {
  return { destination: to, type: 'bind', source: from, options: ['bind', ...LOCKED, ...options] };
};

/**
 * What runc is to make of a sandbox whose bundle has a folder `rootfs`, read-only, and one `tmp`.
 * @param bundle the folder of both
 * @param folders of the node's that its programs need besides /usr
 * @see OCI runtime-spec, config.md and config-linux.md
 */
export function sandboxSpec(
  bundle: string,
  { cgroup, namespace, mounts, command }: SandboxSpec,
  folders: readonly string[],
) {
  return {
    ociVersion: OCI_VERSION,
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      // runc reads each stream by itself: only one that is both has the order in which it was written
      args: ['sh', '-c', 'exec "$@" 2>&1', 'sh', ...command],
      cwd: '/',
      env: [`PATH=${PATH}`, 'HOME=/root', 'TMPDIR=/var/tmp'],
      capabilities: { bounding: PRIVILEGES, effective: PRIVILEGES, permitted: PRIVILEGES },
      rlimits: [{ type: 'RLIMIT_FSIZE', soft: MAX_FILE_BYTES, hard: MAX_FILE_BYTES }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'builder',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: [...LOCKED, 'noexec'] },
      { ...memory('/dev', '64k'), options: ['nosuid', 'mode=755', 'size=64k'] },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...LOCKED, 'noexec', 'ro'] },
      {
        ...{ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup' },
        options: [...LOCKED, 'noexec', 'rw'],
      },
      memory('/run', '64m'),
      memory('/var', '1m'),
      shared(`${bundle}/tmp`, '/var/tmp', 'rw'),
      ...folders.map((folder) => shared(folder, folder, 'ro')),
      ...mounts.map(({ from, to, isWritable }) => shared(from, to, isWritable ? 'rw' : 'ro')),
    ],
    linux: {
      cgroupsPath: cgroup,
      namespaces: [
        ...['mount', 'pid', 'ipc', 'uts', 'cgroup'].map((type) => ({ type })),
        { type: 'network', path: namespace },
      ],
      resources: {
        devices: [{ allow: false, access: 'rwm' }],
        memory: { limit: MEMORY_BYTES, swap: MEMORY_BYTES },
        pids: { limit: MAX_PROCESSES },
      },
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
    },
  };
}
