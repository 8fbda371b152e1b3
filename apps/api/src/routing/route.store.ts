import { Inject, Injectable } from '@nestjs/common';
import type { Instance, RouteChange } from '@slipway/contracts';
import type { Database, Prisma } from '@slipway/db';
import { DATABASE } from '../platform.module.ts';
import { HostNames } from './host-names.ts';

const AT_A_TIME = 500;
/** Any number that nothing else in this database locks. */
const LOCK = 7_780;

interface RouteRow {
  id: string;
  label: string;
  version: string;
  isDeleted: boolean;
  revisionId: string | null;
  instances: Instance[];
}

/**
 * Which host leads where, as PostgreSQL has it. Every change of a route gets the next version while it
 * holds a lock until it is committed: so versions are committed in their order, and who has read up
 * to one has missed none before it.
 *
 * @unscoped only the platform itself calls it
 */
@Injectable()
export class RouteStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(HostNames) private readonly hosts: HostNames,
  ) {}

  /** The last thing that the caller's transaction does: nobody else's can end meanwhile. */
  async change(tx: Prisma.TransactionClient, serviceId: string): Promise<void> {
    await tx.$queryRaw`SELECT id FROM "Service" WHERE id = ${serviceId} FOR UPDATE`;
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${LOCK}::int)`;
    await tx.$executeRaw`UPDATE "Service" SET "routeVersion" =
      (SELECT coalesce(max("routeVersion"), 0) + 1 FROM "Service") WHERE id = ${serviceId}`;
    await tx.$executeRaw`SELECT pg_notify('routes', ''), pg_notify('services', ${serviceId})`;
  }

  /** The next changes behind `version`, in their order. */
  async changesAfter(version: number): Promise<RouteChange[]> {
    const { rows } = await this.database.pool.query<RouteRow>({
      name: 'route-changes',
      text: `SELECT s.id, s.label, s."routeVersion" AS version, d."revisionId",
          s."deletedAt" IS NOT NULL AS "isDeleted",
          coalesce((SELECT json_agg(json_build_object('node', n.endpoint, 'engineId', c."engineId",
              'containerId', c.id, 'port', r.template -> 'port') ORDER BY c.id)
            FROM "Container" c JOIN "Node" n ON n.id = c."nodeId"
            WHERE c."deployId" = d.id AND c.desired = 'running' AND c.state = 'running'
              AND c."readyAt" IS NOT NULL), '[]') AS instances
        FROM "Service" s LEFT JOIN "Deploy" d ON d.id = s."servingDeployId"
          LEFT JOIN "Revision" r ON r.id = d."revisionId"
        WHERE s."routeVersion" > $1 ORDER BY s."routeVersion" LIMIT ${AT_A_TIME}`,
      values: [version],
    });
    return rows.map((row) => this.#changeOf(row));
  }

  /** To those who wait for it: Redis has these now. */
  async tell(changes: readonly RouteChange[]): Promise<void> {
    const serviceIds = changes.flatMap(({ route }) => route?.serviceId ?? []);
    await this.database.pool.query({
      name: 'tell-of-routes',
      text: `SELECT pg_notify('services', id) FROM unnest($1::text[]) AS id`,
      values: [serviceIds],
    });
  }

  #changeOf(row: RouteRow): RouteChange {
    const { id: serviceId, revisionId, instances } = row;
    const host = this.hosts.hostOf(row.label);
    const route = row.isDeleted ? null : { host, serviceId, revisionId, instances };
    return { version: Number(row.version), host, route };
  }
}
