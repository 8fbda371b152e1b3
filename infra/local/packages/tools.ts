import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Something the platform runs, and the Debian package that has it. */
export interface Tool {
  /** where it may be: a bare name is looked for on the PATH, `*` stands for one path segment */
  anyOf: readonly string[];
  package: string;
  /**
   * `unpack`: the package brings a system service (or wants a user, a cluster, a configuration):
   * its files are taken, its maintainer scripts never run. `install`: by apt, as usual.
   * docs/decisions/0001-packages-with-services-are-unpacked.md says why.
   */
  how: 'unpack' | 'install';
}

const DECLARED = {
  postgres: {
    anyOf: ['/usr/lib/postgresql/*/bin/postgres', 'postgres'],
    package: 'postgresql-*',
    how: 'unpack',
  },
  // Debian's redis-tools has the server's binary under another name: no need of the package with the service
  redis: { anyOf: ['redis-server', 'redis-check-rdb'], package: 'redis-tools', how: 'install' },
  containerd: { anyOf: ['containerd'], package: 'containerd', how: 'unpack' },
  ctr: { anyOf: ['ctr'], package: 'containerd', how: 'unpack' },
  runc: { anyOf: ['runc'], package: 'runc', how: 'install' },
  cni: {
    anyOf: ['/usr/lib/cni/bridge', '/opt/cni/bin/bridge'],
    package: 'containernetworking-plugins',
    how: 'unpack',
  },
  // data only, and buildah needs it anyway
  seccompProfile: {
    anyOf: ['/usr/share/containers/seccomp.json'],
    package: 'golang-github-containers-common',
    how: 'install',
  },
  nft: { anyOf: ['nft'], package: 'nftables', how: 'unpack' },
  busybox: { anyOf: ['busybox'], package: 'busybox-static', how: 'install' },
  buildah: { anyOf: ['buildah'], package: 'buildah', how: 'install' },
  skopeo: { anyOf: ['skopeo'], package: 'skopeo', how: 'install' },
  dockerRegistry: { anyOf: ['docker-registry'], package: 'docker-registry', how: 'unpack' },
  // containerd's own description of its calls
  containerdProtos: {
    anyOf: [
      '/usr/share/gocode/src/github.com/containerd/containerd/api/services/tasks/v1/tasks.proto',
    ],
    package: 'golang-github-containerd-containerd-dev',
    how: 'unpack',
  },
  nginx: { anyOf: ['nginx'], package: 'nginx', how: 'unpack' },
  wrk: { anyOf: ['wrk'], package: 'wrk', how: 'install' },
  ip: { anyOf: ['ip'], package: 'iproute2', how: 'install' },
} as const satisfies Record<string, Tool>;

/** Only tests and benchmarks use them. */
const TEST_TOOLS: readonly string[] = [
  'skopeo',
  'dockerRegistry',
  'containerdProtos',
  'nginx',
  'wrk',
];

export type ToolName = keyof typeof DECLARED;
export const TOOLS: Readonly<Record<ToolName, Tool>> = DECLARED;
export const PLATFORM_TOOLS = (Object.keys(DECLARED) as ToolName[]).filter(
  (name) => !TEST_TOOLS.includes(name),
);

/** Finds a tool's file, the newest version first; `root` is where packages were unpacked. */
export function findTool({ anyOf }: Tool, path: string, root: string): string | null {
  for (const place of anyOf) {
    const found = place.startsWith('/')
      ? (newestMatch(place) ?? newestMatch(join(root, place)))
      : onPath(place, searchPath(path, root));
    if (found !== null) return found;
  }
  return null;
}

/** The caller's PATH, completed by the system's binary directories and the unpacked packages'. */
export function searchPath(path: string, root: string): string {
  const dirs = [
    ...path.split(delimiter),
    ...['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'],
    ...['usr/sbin', 'usr/bin'].map((dir) => join(root, dir)),
  ];
  return [...new Set(dirs.filter((dir) => dir !== ''))].join(delimiter);
}

function onPath(name: string, path: string): string | null {
  const dir = path.split(delimiter).find((candidate) => existsSync(join(candidate, name)));
  return dir === undefined ? null : join(dir, name);
}

function newestMatch(pattern: string): string | null {
  const star = pattern.indexOf('/*/');
  if (star === -1) return existsSync(pattern) ? pattern : null;
  const parent = pattern.slice(0, star);
  if (!existsSync(parent)) return null;
  const versions = readdirSync(parent).sort((a, b) => Number(b) - Number(a));
  return (
    versions.map((version) => join(parent, version, pattern.slice(star + 3))).find(existsSync) ??
    null
  );
}
