import { Inject, Injectable } from '@nestjs/common';
import { AppError, CONTAINER_CALLS } from '@slipway/contracts';
import { Connections, callerOf } from '@slipway/rpc';
import { NodeStore } from '../nodes/node.store.ts';
import type { ContainerRow } from './container.store.ts';

const WITHIN_MS = 10_000;

/** Signals to programs, through the agents of their nodes. */
@Injectable()
export class ContainerSignals {
  constructor(
    @Inject(NodeStore) private readonly nodes: NodeStore,
    @Inject(Connections) private readonly connections: Connections,
  ) {}

  /**
   * @returns false: the newest run has no program (any more)
   * @throws AppError `unavailable` when its node does not answer: nobody knows whether it was sent
   */
  async send({ nodeId, engineId, generation }: ContainerRow, signal: number): Promise<boolean> {
    const agent = callerOf(
      this.connections.to(await this.nodes.endpointOf(nodeId)),
      CONTAINER_CALLS,
    );
    const timeout = AbortSignal.timeout(WITHIN_MS);
    try {
      const call = { engineId, generation, signal };
      return (await agent.signalContainer(call, { signal: timeout })).isSent;
    } catch (cause) {
      throw new AppError('unavailable', 'The node does not answer.', { cause });
    }
  }
}
