import { dirname, join } from 'node:path';
import { connect } from '@slipway/rpc';
import type { Claim } from '../claim.ts';
import { type Instance, stateLinkOf } from '../instance.ts';
import type { Toolbox } from '../packages/index.ts';
import { cgroupOf, stopContainers } from '../reaper/cgroups.ts';
import { apiSocketOf } from './api.ts';
import { containerdSocketOf, containerdStateDirOf, namespacesDirOf } from './containerd.ts';
import { nodeProcess } from './node-process.ts';
import type { Part } from './part.ts';
import { redisSocketOf } from './redis.ts';

/** A checkout is one node. */
const NODE_NAME = 'local';
/** `docker stop`'s */
const CONTAINER_GRACE_MS = 10_000;

/** Brings this node's containers where they should be. */
export function agentPart(instance: Instance, claim: Claim, tools: Toolbox): Part {
  const env = settings(instance, claim, tools);
  return {
    name: 'agent',
    needs: ['api', 'containerd', 'logs', 'redis'],
    ...ofNode(instance, env, 'main.mjs', agentSocketOf(instance)),
    // nobody starts another one any more, and what they say last is still read
    cleanUp: () => stopContainers(cgroupOf(instance), CONTAINER_GRACE_MS),
  };
}

/** Reads what this node's containers write; apart from the agent, so that one can be without the other. */
export function logsPart(instance: Instance, claim: Claim, tools: Toolbox): Part {
  const env = settings(instance, claim, tools);
  return { name: 'logs', needs: [], ...ofNode(instance, env, 'logs.mjs', logSocketOf(instance)) };
}

function ofNode(
  instance: Instance,
  env: Record<string, string>,
  program: string,
  socket: string,
): Omit<Part, 'name' | 'needs'> {
  const file = join(instance.checkout, 'apps/agent/dist', program);
  return { ...nodeProcess(file, env), check: () => health(socket) };
}

function agentSocketOf({ runDir }: Instance): string {
  return join(runDir, 'agent.sock');
}

function logSocketOf({ runDir }: Instance): string {
  return join(runDir, 'logs.sock');
}

function settings(
  instance: Instance,
  { ports, networkRange }: Claim,
  tools: Toolbox,
): Record<string, string> {
  const { id, runDir, stateDir } = instance;
  return {
    NODE_NAME,
    API_SOCKET: apiSocketOf(instance),
    AGENT_SOCKET: agentSocketOf(instance),
    LOG_SOCKET: logSocketOf(instance),
    NODE_LIFE_FILE: join(runDir, 'node-life'),
    FIFOS_DIR: join(runDir, 'fifos'),
    CONTAINER_LOGS_DIR: join(stateDir, 'container-logs'),
    CONTAINER_ETC_DIR: join(stateDir, 'container-etc'),
    BUILDS_DIR: join(stateLinkOf(instance), 'builds'),
    REDIS_URL: redisSocketOf(instance),
    REGISTRY_URL: `http://127.0.0.1:${ports.registry}`,
    CONTAINERD_SOCKET: containerdSocketOf(instance),
    CONTAINERD_STATE_DIR: containerdStateDirOf(instance),
    RUNC_ROOT: join(runDir, 'runc'),
    CGROUP_PARENT: `/${cgroupOf(instance)}`,
    NETWORK_RANGE: networkRange,
    NETNS_DIR: namespacesDirOf(instance),
    BRIDGE_PREFIX: `sl${id}-`,
    NFTABLES_TABLE: `slipway_${id}`,
    CNI_PLUGINS_DIR: dirname(tools.fileOf('cni')),
    SECCOMP_PROFILE: tools.fileOf('seccompProfile'),
    PATH: tools.path, // where it looks for ip, nft and buildah
  };
}

async function health(socket: string): Promise<void> {
  const connection = connect(`unix:${socket}`);
  try {
    const answer = await connection.request({
      ...{ method: 'GET', path: '/health', signal: AbortSignal.timeout(5_000) },
    });
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`it answers ${answer.statusCode}`);
  } finally {
    await connection.destroy();
  }
}
