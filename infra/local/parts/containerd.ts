import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exec } from '@slipway/process';
import { type Env, inheritedEnv } from '../env.ts';
import { type Instance, stateLinkOf } from '../instance.ts';
import type { Toolbox } from '../packages/index.ts';
import type { Part } from './part.ts';

const CHECK_WITHIN_MS = 5_000;

/** What a node of ours does without: Kubernetes' interface, other snapshotters, `/opt` and tracing. */
const DISABLED = [
  'io.containerd.grpc.v1.cri',
  ...['aufs', 'btrfs', 'devmapper', 'native', 'zfs'].map(
    (name) => `io.containerd.snapshotter.v1.${name}`,
  ),
  'io.containerd.internal.v1.opt',
  'io.containerd.internal.v1.tracing',
  'io.containerd.tracing.processor.v1.otlp',
];

export function containerdSocketOf({ runDir }: Instance): string {
  return join(runDir, 'containerd.sock');
}

export function containerdStateDirOf({ runDir }: Instance): string {
  return join(runDir, 'containerd');
}

/** Where the agent keeps network namespaces. */
export function namespacesDirOf({ runDir }: Instance): string {
  return join(runDir, 'netns');
}

/**
 * A private containerd. It has a mount namespace of its own: no container's mount shows on the
 * machine, and none is left when everything is killed.
 */
export function containerdPart(instance: Instance, env: Env, tools: Toolbox): Part {
  const config = join(instance.stateDir, 'containerd', 'config.toml');
  const socket = containerdSocketOf(instance);
  return {
    name: 'containerd',
    needs: [],
    stopSignal: 'SIGTERM',
    stopGraceMs: 30_000,
    async prepare() {
      mkdirSync(join(instance.stateDir, 'containerd'), { recursive: true });
      writeFileSync(config, configuration(instance));
      await shareMounts(namespacesDirOf(instance));
    },
    argv: () => [
      ...['unshare', '--mount', '--propagation', 'slave'],
      ...[tools.fileOf('containerd'), '--config', config],
    ],
    env: () => ({ PATH: tools.path }), // where it looks for its shim and for runc
    async check() {
      await exec(tools.fileOf('ctr'), ['--address', socket, '--connect-timeout', '1s', 'version'], {
        env: inheritedEnv(env),
        timeoutMs: CHECK_WITHIN_MS,
      });
    },
  };
}

/** So that what the agent mounts in a folder shows in containerd's own mount namespace too. */
async function shareMounts(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const isMount = await exec('mountpoint', ['--quiet', folder], { allowFailure: true });
  if (isMount.code !== 0) await exec('mount', ['--bind', folder, folder]);
  await exec('mount', ['--make-shared', folder]);
}

function configuration(instance: Instance): string {
  const socket = containerdSocketOf(instance);
  return `version = 2
root = ${toml(join(stateLinkOf(instance), 'containerd', 'root'))}
state = ${toml(containerdStateDirOf(instance))}
disabled_plugins = [${DISABLED.map(toml).join(', ')}]

[grpc]
  address = ${toml(socket)}

[ttrpc]
  address = ${toml(`${socket}.ttrpc`)}
`;
}

/** A basic string: JSON's escapes are TOML's. */
function toml(text: string): string {
  return JSON.stringify(text);
}
