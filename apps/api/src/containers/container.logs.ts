import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { AgentStreams } from '../agents/agent-streams.ts';
import type { LogFormat } from '../http/streamed.ts';
import { NodeStore } from '../nodes/node.store.ts';
import type { ContainerRow } from './container.store.ts';

/** What containers have written, from the nodes that have it. */
@Injectable()
export class ContainerLogs {
  constructor(
    @Inject(NodeStore) private readonly nodes: NodeStore,
    @Inject(AgentStreams) private readonly agents: AgentStreams,
  ) {}

  /** @throws AppError `unavailable` when its node does not answer */
  async read({ nodeId, engineId }: ContainerRow, format: LogFormat): Promise<Readable> {
    const endpoint = await this.nodes.endpointOf(nodeId);
    return this.agents.open(endpoint, `/containers/${engineId}/logs`, { accept: format });
  }
}
