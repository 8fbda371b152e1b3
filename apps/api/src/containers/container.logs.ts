import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import type { LogQuery } from '@slipway/contracts';
import { AgentStreams } from '../agents/agent-streams.ts';
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
  async read(
    { nodeId, engineId }: ContainerRow,
    query: LogQuery,
    { format, signal }: { format: string; signal: AbortSignal },
  ): Promise<Readable> {
    const endpoint = await this.nodes.endpointOf(nodeId);
    const path = `/containers/${engineId}/logs?${searchOf(query)}`;
    return this.agents.open(endpoint, path, { headers: { accept: format }, signal });
  }
}

function searchOf(query: LogQuery): URLSearchParams {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value));
  }
  return search;
}
