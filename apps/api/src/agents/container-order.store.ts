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
  isRunOver: boolean;
}

interface OrderRow extends DesiredRow {
  id: string;
  requestId: string;
  name: string;
  stopGraceMs: number;
  organizationId: string;
  repository: string;
  imageDigest: string;
  networkRange: string;
  /** null: it has no address */
  subnet: { id: string; index: number; host: number } | null;
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
    const { rows } = await this.database.pool.query<DesiredRow>({
      name: 'desired-containers',
      text: `SELECT ${DESIRED} FROM "Container" c WHERE c."nodeId" = $1 AND c.state <> 'removed'`,
      values: [nodeId],
    });
    return rows.map(desiredOf);
  }

  async order(nodeId: string, engineId: string) {
    const { rows } = await this.database.pool.query<OrderRow>({
      name: 'container-order',
      text: `SELECT ${DESIRED}, c.id, c."requestId", c.name, c."stopGraceMs", c."organizationId",
          c.repository, c."imageDigest", n."networkRange",
          (SELECT json_build_object('id', s.id, 'index', s.index, 'host', e.host)
            FROM "Endpoint" e JOIN "Subnet" s ON s.id = e."subnetId"
            WHERE e."containerId" = c.id) AS subnet
        FROM "Container" c JOIN "Node" n ON n.id = c."nodeId"
        WHERE c."nodeId" = $1 AND c."engineId" = $2 AND c.state <> 'removed'`,
      values: [nodeId, engineId],
    });
    const [row] = rows;
    if (row === undefined) return null;
    const { id, requestId, name, stopGraceMs, organizationId, repository } = row;
    const { imageDigest, networkRange, subnet } = row;
    if (subnet === null) throw new Error(`the container ${id} has no address`);
    return {
      ...desiredOf(row),
      ...{ id, requestId, name, stopGraceMs, organizationId, repository, imageDigest },
      spec: ContainerSpecSchema.parse(row.spec),
      address: addressIn(networkRange, subnet, subnet.host),
    };
  }
}

const DESIRED = `c."engineId", c.desired, c.generation, c.state, c.spec, c."readyAt",
  EXISTS (SELECT 1 FROM "Run" r WHERE r."containerId" = c.id AND r.generation = c.generation
    AND r."finishedAt" IS NOT NULL) AS "isRunOver"`;

function desiredOf(row: DesiredRow): DesiredContainer {
  const { engineId, desired, generation, state, isRunOver, readyAt } = row;
  const known = DESIRED_STATES.find((value) => value === desired);
  if (known === undefined) throw new Error(`a container is desired ${desired}`);
  return {
    ...{ engineId, generation, desired: known, isRunOver },
    isSettled: isSettled(state as ContainerState),
    awaitsProbe: readyAt === null && ContainerSpecSchema.parse(row.spec).probe !== undefined,
  };
}
