import { Inject, Injectable } from '@nestjs/common';
import { type Database, newId, type Prisma } from '@slipway/db';
import { tellingOf } from '../containers/container.news.ts';
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

  /**
   * Makes the node or finds it by its name, and notes that it lives. When it does so anew, containers
   * that were stopped there are to run again if their restart policy is `always`. @returns its id
   */
  async announce(node: {
    name: string;
    endpoint: string;
    cpus: number;
    memoryBytes: number;
    networkRange: string;
    life: string;
  }): Promise<string> {
    const { rows } = await this.database.pool.query<{ id: string }>({
      name: 'announce-node',
      text: ANNOUNCE,
      values: [
        ...[newId('nod'), node.name, node.endpoint],
        ...[node.cpus, node.memoryBytes, node.networkRange, node.life],
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

const ANNOUNCE = `
  WITH before AS (
    SELECT life FROM "Node" WHERE name = $2
  ), node AS (
    INSERT INTO "Node" (id, name, endpoint, cpus, "memoryBytes", "networkRange", life)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (name) DO UPDATE SET endpoint = EXCLUDED.endpoint, cpus = EXCLUDED.cpus,
      "memoryBytes" = EXCLUDED."memoryBytes", "networkRange" = EXCLUDED."networkRange",
      life = EXCLUDED.life, "seenAt" = now()
    RETURNING id, life
  ), again AS (
    UPDATE "Container" c SET desired = 'running', "restartAt" = now() FROM node, before
    WHERE before.life <> node.life AND c."nodeId" = node.id AND c."restartPolicy" = 'always'
      AND c.desired = 'stopped' AND c.state IN ('exited', 'failed')
      AND EXISTS (SELECT FROM "Run" r WHERE r."containerId" = c.id AND r."startedAt" IS NOT NULL)
    RETURNING c.*
  ), told AS (${tellingOf('again')})
  SELECT id, (SELECT count(pg_notify) FROM told) FROM node`;
