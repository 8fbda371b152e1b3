import type { Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import { Connections } from '@slipway/rpc';

/** What the agents of nodes serve: streams that come from where the containers are. */
@Injectable()
export class AgentStreams {
  constructor(@Inject(Connections) private readonly connections: Connections) {}

  /**
   * @param endpoint the node's
   * @throws AppError `unavailable` when the node does not answer
   */
  async open(
    endpoint: string,
    path: string,
    options: { headers?: Record<string, string>; signal?: AbortSignal } = {},
  ): Promise<Readable> {
    const answer = await this.connections
      .to(endpoint)
      .request({ method: 'GET', path, ...options })
      .catch((cause: unknown) => {
        throw new AppError('unavailable', 'The node does not answer.', { cause });
      });
    if (answer.statusCode === 200) return answer.body;
    answer.body.destroy();
    if (answer.statusCode === 503) throw new AppError('unavailable', 'The node is not ready yet.');
    throw new Error(`an agent answers ${answer.statusCode} when it is asked for ${path}`);
  }
}
