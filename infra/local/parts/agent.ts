import { join } from 'node:path';
import { connect } from '@slipway/rpc';
import type { Ports } from '../claim.ts';
import type { Instance } from '../instance.ts';
import { apiSocketOf } from './api.ts';
import { containerdSocketOf } from './containerd.ts';
import type { Part } from './part.ts';
import { redisSocketOf } from './redis.ts';

/** A checkout is one node. */
const NODE_NAME = 'local';

/** Brings this node's containers where they should be. */
export function agentPart(instance: Instance, ports: Ports): Part {
  return { name: 'agent', ...nodeProcess(instance, ports, 'main.mjs', agentSocketOf(instance)) };
}

/** Reads what this node's containers write; apart from the agent, so that one can be without the other. */
export function logsPart(instance: Instance, ports: Ports): Part {
  return { name: 'logs', ...nodeProcess(instance, ports, 'logs.mjs', logSocketOf(instance)) };
}

function nodeProcess(
  instance: Instance,
  ports: Ports,
  program: string,
  socket: string,
): Omit<Part, 'name'> {
  const file = join(instance.checkout, 'apps/agent/dist', program);
  return {
    stopSignal: 'SIGTERM',
    stopGraceMs: 30_000,
    async prepare() {},
    argv: () => [process.execPath, '--enable-source-maps', file],
    env: () => settings(instance, ports),
    check: () => health(socket),
  };
}

function agentSocketOf({ runDir }: Instance): string {
  return join(runDir, 'agent.sock');
}

function logSocketOf({ runDir }: Instance): string {
  return join(runDir, 'logs.sock');
}

function settings(instance: Instance, ports: Ports): Record<string, string> {
  const { id, runDir, stateDir } = instance;
  return {
    NODE_NAME,
    API_SOCKET: apiSocketOf(instance),
    AGENT_SOCKET: agentSocketOf(instance),
    LOG_SOCKET: logSocketOf(instance),
    FIFOS_DIR: join(runDir, 'fifos'),
    CONTAINER_LOGS_DIR: join(stateDir, 'container-logs'),
    REDIS_URL: redisSocketOf(instance),
    REGISTRY_URL: `http://127.0.0.1:${ports.registry}`,
    CONTAINERD_SOCKET: containerdSocketOf(instance),
    RUNC_ROOT: join(runDir, 'runc'),
    CGROUP_PARENT: `/slipway-${id}`,
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
