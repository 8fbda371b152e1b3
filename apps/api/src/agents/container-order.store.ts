import { Inject, Injectable } from '@nestjs/common';
import { ContainerSpecSchema, DESIRED_STATES, type DesiredContainer } from '@slipway/contracts';
import type { Database } from '@slipway/db';
import { type ContainerState, isSettled } from '@slipway/lifecycle';
import { addressIn } from '../networks/address.ts';
import { DATABASE } from '../platform.module.ts';

interface DesiredRow {
  engineId: string;
  desired: string;
  generation: number;
  state: string;
  spec: unknown;
  readyAt: Date | null;
  runs: { generation: number; finishedAt: Date | null }[];
}

/**
 * What a node has to know of its containers.
 *
 * @unscoped only its agent calls it
 */
@Injectable()
export class ContainerOrderStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  async desired(nodeId: string): Promise<DesiredContainer[]> {
    const rows = await this.database.prisma.container.findMany({
      where: { nodeId, state: { not: 'removed' } },
      select: {
        ...{ engineId: true, desired: true, generation: true, state: true },
        ...{ spec: true, readyAt: true },
        runs: NEWEST_RUN,
      },
    });
    return rows.map(desiredOf);
  }

  async order(nodeId: string, engineId: string) {
    const row = await this.database.prisma.container.findFirst({
      where: { nodeId, engineId, state: { not: 'removed' } },
      include: {
        runs: NEWEST_RUN,
        node: { select: { networkRange: true } },
        endpoint: { include: { subnet: true } },
      },
    });
    if (row === null) return null;
    const { id, requestId, name, stopGraceMs, organizationId, repository } = row;
    const { imageDigest, node, endpoint } = row;
    if (endpoint === null) throw new Error(`the container ${id} has no address`);
    return {
      ...desiredOf(row),
      ...{ id, requestId, name, stopGraceMs, organizationId, repository, imageDigest },
      spec: ContainerSpecSchema.parse(row.spec),
      address: addressIn(node.networkRange, endpoint.subnet, endpoint.host),
    };
  }
}

const NEWEST_RUN = {
  orderBy: { generation: 'desc' },
  take: 1,
  select: { generation: true, finishedAt: true },
} as const;

function desiredOf(row: DesiredRow): DesiredContainer {
  const { engineId, desired, generation, state, runs, readyAt } = row;
  const known = DESIRED_STATES.find((value) => value === desired);
  if (known === undefined) throw new Error(`a container is desired ${desired}`);
  const isRunOver = runs.some((run) => run.generation === generation && run.finishedAt !== null);
  return {
    ...{ engineId, generation, desired: known, isRunOver },
    isSettled: isSettled(state as ContainerState),
    awaitsProbe: readyAt === null && ContainerSpecSchema.parse(row.spec).probe !== undefined,
  };
}
