import { Inject, Injectable } from '@nestjs/common';
import { type Database, newId, type Prisma } from '@slipway/db';
import type { Candidate } from '../placement/place.ts';
import { DATABASE } from '../platform.module.ts';

type Node = Prisma.NodeGetPayload<object>;

/**
 * Machines that run containers.
 *
 * @unscoped they are the operator's: no tenant sees them
 */
@Injectable()
export class NodeStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** Makes the node or finds it by its name, and notes that it lives. @returns its id */
  async announce(node: {
    name: string;
    endpoint: string;
    cpus: number;
    memoryBytes: number;
    networkRange: string;
  }): Promise<string> {
    const { rows } = await this.database.pool.query<{ id: string }>({
      name: 'announce-node',
      text: `INSERT INTO "Node" (id, name, endpoint, cpus, "memoryBytes", "networkRange")
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (name) DO UPDATE SET endpoint = EXCLUDED.endpoint, cpus = EXCLUDED.cpus,
          "memoryBytes" = EXCLUDED."memoryBytes", "networkRange" = EXCLUDED."networkRange",
          "seenAt" = now()
        RETURNING id`,
      values: [
        ...[newId('nod'), node.name, node.endpoint],
        ...[node.cpus, node.memoryBytes, node.networkRange],
      ],
    });
    if (rows[0] === undefined) throw new Error('an upsert returned nothing');
    return rows[0].id;
  }

  /** where its agent answers */
  async endpointOf(id: string): Promise<string> {
    const { endpoint } = await this.database.prisma.node.findUniqueOrThrow({ where: { id } });
    return endpoint;
  }

  /** @param reference its identifier or its name */
  find(reference: string): Promise<Node | null> {
    const where = { OR: [{ id: reference }, { name: reference }] };
    return this.database.prisma.node.findFirst({ where });
  }

  /** All nodes, with what placement goes by. */
  async candidates(): Promise<Candidate[]> {
    const { rows } = await this.database.pool.query<Candidate>({
      name: 'placement-candidates',
      text: `SELECT n.id, n."seenAt",
          (SELECT count(*)::int FROM "Container" c
            WHERE c."nodeId" = n.id AND c.desired = 'running') AS "containerCount"
        FROM "Node" n`,
    });
    return rows;
  }
}
