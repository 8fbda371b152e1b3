import { Inject, Injectable } from '@nestjs/common';
import { API_CALLS, AppError, type ContainerOrder } from '@slipway/contracts';
import type { Logger } from '@slipway/log';
import { serveCalls } from '@slipway/rpc';
import type { FastifyInstance } from 'fastify';
import { asAppError, sendProblem } from '../http/problem.filter.ts';
import { NodeStore } from '../nodes/node.store.ts';
import { LOGGER } from '../platform.module.ts';
import { type Grant, RegistryTokens } from '../registry/registry-token.ts';
import { MeterStore } from '../usage/meter.store.ts';
import { BuildDoor } from './build-door.ts';
import { ContainerOrderStore } from './container-order.store.ts';
import { ObservationStore } from './observation.store.ts';

/** Answers the agents of all nodes, on a listener that nobody else can reach. */
@Injectable()
export class AgentDoor {
  constructor(
    @Inject(NodeStore) private readonly nodes: NodeStore,
    @Inject(ContainerOrderStore) private readonly orders: ContainerOrderStore,
    @Inject(ObservationStore) private readonly observations: ObservationStore,
    @Inject(MeterStore) private readonly meters: MeterStore,
    @Inject(BuildDoor) private readonly builds: BuildDoor,
    @Inject(RegistryTokens) private readonly tokens: RegistryTokens,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  serveOn(fastify: FastifyInstance): void {
    fastify.setErrorHandler((thrown, request, reply) => {
      const error = asAppError(thrown, request);
      if (error.status >= 500) {
        this.log.error({ err: thrown, url: request.url }, 'call failed');
      }
      sendProblem(error, request, reply);
    });
    const refuse = (message: string) => new AppError('malformed-request', message);
    serveCalls(
      fastify,
      API_CALLS,
      {
        announceNode: async (node) => ({ nodeId: await this.nodes.announce(node) }),
        desiredContainers: async ({ nodeId }) => ({
          containers: await this.orders.desired(nodeId),
        }),
        containerOrder: async ({ nodeId, engineId }) => ({
          order: await this.#order(nodeId, engineId),
        }),
        reportContainer: async ({ nodeId, engineId, observation }) => {
          await this.observations.note(nodeId, engineId, observation);
          return {};
        },
        reportUsage: async ({ nodeId, usage }) => {
          await this.meters.note(nodeId, usage);
          return {};
        },
      },
      refuse,
    );
    this.builds.serveOn(fastify, refuse);
  }

  async #order(nodeId: string, engineId: string): Promise<ContainerOrder | null> {
    const found = await this.orders.order(nodeId, engineId);
    if (found === null) return null;
    const { organizationId, repository, imageDigest, ...order } = found;
    const grants: Grant[] = [{ name: repository, actions: ['pull'] }];
    const token = await this.tokens.issueForNode(organizationId, grants);
    return {
      ...order,
      image: { repository, digest: imageDigest, authorization: `Bearer ${token}` },
    };
  }
}
