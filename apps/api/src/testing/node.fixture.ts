import { API_CALLS, type NodeCommand } from '@slipway/contracts';
import { workOnNodeQueue } from '@slipway/queue';
import { type Caller, callerOf, connect } from '@slipway/rpc';
import { testRedisUrl } from '@slipway/test/redis';
import type { TestApi } from './api.fixture.ts';

/** What an agent has of the API: the calls, and its node's queue. A test decides what the node does. */
export interface TestNode extends AsyncDisposable {
  readonly id: string;
  readonly calls: Caller<typeof API_CALLS>;
  /** as they came */
  readonly commands: readonly NodeCommand[];
}

export async function joinTestNode({ agentSocket }: TestApi): Promise<TestNode> {
  const connection = connect(`unix:${agentSocket}`);
  const calls = callerOf(connection, API_CALLS);
  const node = { name: 'test', endpoint: 'unix:/nonexistent/agent.sock', cpus: 2 };
  const resources = { memoryBytes: 2 ** 30, networkRange: '10.99.0.0/16' };
  const { nodeId } = await calls.announceNode({ ...node, ...resources });
  const commands: NodeCommand[] = [];
  const worker = workOnNodeQueue(testRedisUrl(), nodeId, {
    async onCommand(command) {
      commands.push(command);
    },
    onGap() {},
  });
  return {
    ...{ id: nodeId, calls, commands },
    async [Symbol.asyncDispose]() {
      await worker.close();
      await connection.close();
    },
  };
}
