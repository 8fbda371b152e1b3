import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Inject, Injectable } from '@nestjs/common';
import type { LogQuery } from '@slipway/contracts';
import { z } from 'zod';
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

  /**
   * What a container wrote last, so that it can be kept: lines that are long are cut.
   * @throws when its node does not answer, or not in time
   */
  async last(container: ContainerRow, count: number, signal: AbortSignal): Promise<LogLine[]> {
    const query = { follow: false, timestamps: false, tail: count };
    const log = await this.read(container, query, { format: 'application/x-ndjson', signal });
    const lines = (await text(log)).split('\n').filter((line) => line !== '');
    return lines.map((line) => LogLine.parse(JSON.parse(line)));
  }
}

const MOST_CHARACTERS = 1_000;

/** As agents say it in `application/x-ndjson`; the database takes no NUL and no half of a character. */
const LogLine = z.object({
  time: z.string(),
  stream: z.string(),
  line: z.string().transform(cut),
});
export type LogLine = z.output<typeof LogLine>;

function cut(line: string): string {
  const kept = line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS)}…` : line;
  return kept.replaceAll('\0', '\ufffd').toWellFormed();
}

function searchOf(query: LogQuery): URLSearchParams {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value));
  }
  return search;
}
