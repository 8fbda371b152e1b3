import { API_CALLS, BUILD_CALLS, type NodeCommand } from '@slipway/contracts';
import { nodeQueue, workOn } from '@slipway/queue';
import { type Caller, callerOf, connect } from '@slipway/rpc';
import type { TestApi } from './api.fixture.ts';

/** What an agent has of the API: the calls, and its node's queue (not that of builds, which all tests share). A test decides what the node does. */
export interface TestNode extends AsyncDisposable {
  readonly id: string;
  readonly calls: Caller<typeof API_CALLS>;
  readonly builds: Caller<typeof BUILD_CALLS>;
  announce(changed: { networkRange?: string; life?: string }): Promise<unknown>;
  /** of a build that it has taken; null: the API does not give it */
  context(attempt: { buildId: string; attempt: number }): Promise<string | null>;
  /** as they came */
  readonly commands: readonly NodeCommand[];
}

export async function joinTestNode({ agentSocket, redisUrl }: TestApi): Promise<TestNode> {
  const connection = connect(`unix:${agentSocket}`);
  const calls = callerOf(connection, API_CALLS);
  const node = {
    ...{ name: 'test', endpoint: 'unix:/nonexistent/agent.sock', life: 'the first' },
    ...{ cpus: 2, memoryBytes: 2 ** 30, networkRange: '10.99.0.0/16' },
  };
  const announce = (changed = {}) => calls.announceNode({ ...node, ...changed });
  const { nodeId } = await announce();
  const commands: NodeCommand[] = [];
  const worker = workOn(redisUrl, nodeQueue(nodeId), {
    sideBySide: 10,
    async onCommand(command) {
      commands.push(command);
    },
    onGap() {},
  });
  return {
    ...{ id: nodeId, calls, announce, commands, builds: callerOf(connection, BUILD_CALLS) },
    async context({ buildId, attempt }) {
      const path = `/builds/${buildId}/context?nodeId=${nodeId}&attempt=${attempt}`;
      const { statusCode, body } = await connection.request({ method: 'GET', path });
      const text = await body.text();
      return statusCode === 200 ? text : null;
    },
    async [Symbol.asyncDispose]() {
      await worker.close();
      await connection.close();
    },
  };
}
