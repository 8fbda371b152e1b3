import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '@slipway/db';
import type { Served } from '@slipway/routes';
import { DATABASE } from '../platform.module.ts';
import { addUsage } from './add-usage.ts';

interface Grown {
  edgeId: string;
  serviceId: string;
  organizationId: string;
  projectId: string;
  bytes: number;
  servedBytes: number;
}

/**
 * Adds what edges have served to what the projects of the services have used. What an edge tells is counted
 * once, however often and by whichever replica it is read: it says how much it was since the edge began.
 *
 * @unscoped the platform counts for all
 */
@Injectable()
export class ServedStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** @param told of each edge and service one */
  async note(told: readonly Served[]): Promise<void> {
    if (told.length === 0) return;
    await this.database.transaction(async (tx) => {
      await tx.$executeRaw`INSERT INTO "EdgeMeter" ("edgeId", "serviceId")
        SELECT told."edgeId", s.id
        FROM jsonb_to_recordset(${json(told)}::jsonb) AS told ("edgeId" text, "serviceId" text)
        JOIN "Service" s ON s.id = told."serviceId"
        ORDER BY 1, 2 ON CONFLICT DO NOTHING`;
      const rows = await tx.$queryRaw<Grown[]>`
        SELECT m."edgeId", m."serviceId", "organizationId", "projectId",
          told.bytes, told.bytes - m.bytes AS "servedBytes"
        FROM jsonb_to_recordset(${json(told)}::jsonb)
          AS told ("edgeId" text, "serviceId" text, bytes float8)
        JOIN "EdgeMeter" m USING ("edgeId", "serviceId") JOIN "Service" s ON s.id = m."serviceId"
        ORDER BY 1, 2 FOR UPDATE OF m`;
      const grown = rows.filter(({ servedBytes }) => servedBytes > 0);
      await tx.$executeRaw`UPDATE "EdgeMeter" m SET bytes = grown.bytes, at = now()
        FROM jsonb_to_recordset(${json(grown)}::jsonb)
          AS grown ("edgeId" text, "serviceId" text, bytes float8)
        WHERE m."edgeId" = grown."edgeId" AND m."serviceId" = grown."serviceId"`;
      const hour = new Date();
      hour.setUTCMinutes(0, 0, 0);
      await addUsage(
        tx,
        grown.map(({ organizationId, projectId, servedBytes }) => ({
          ...{ organizationId, projectId, hour, servedBytes },
        })),
      );
    });
  }

  /** Those of which nothing new was counted since then. */
  async silentEdges(since: Date): Promise<string[]> {
    const rows = await this.database.prisma.$queryRaw<{ edgeId: string }[]>`
      SELECT "edgeId" FROM "EdgeMeter" GROUP BY 1 HAVING max(at) < ${since}`;
    return rows.map(({ edgeId }) => edgeId);
  }

  /** Whatever they tell later counts once more. */
  async forget(edgeIds: readonly string[]): Promise<void> {
    await this.database.prisma.edgeMeter.deleteMany({ where: { edgeId: { in: [...edgeIds] } } });
  }
}

function json(rows: readonly object[]): string {
  return JSON.stringify(rows);
}
