import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import { Connections } from '@slipway/rpc';
import type { LogFormat } from '../http/streamed.ts';
import { NodeStore } from '../nodes/node.store.ts';
import type { ContainerRow } from './container.store.ts';

/** What containers have written, from the nodes that have it. */
@Injectable()
export class ContainerLogs {
  constructor(
    @Inject(NodeStore) private readonly nodes: NodeStore,
    @Inject(Connections) private readonly connections: Connections,
  ) {}

  /** @throws AppError `unavailable` when its node does not answer */
  async read({ nodeId, engineId }: ContainerRow, format: LogFormat): Promise<Readable> {
    const connection = this.connections.to(await this.nodes.endpointOf(nodeId));
    const answer = await connection
      .request({ method: 'GET', path: `/containers/${engineId}/logs`, headers: { accept: format } })
      .catch((cause: unknown) => {
        throw new AppError('unavailable', 'The node of this container does not answer.', { cause });
      });
    if (answer.statusCode === 200) return answer.body;
    answer.body.destroy();
    throw new Error(`an agent answers ${answer.statusCode} when it is asked for logs`);
  }
}
