import { Inject, Injectable } from '@nestjs/common';
import type { RunUsage } from '@slipway/contracts';
import type { Database, Prisma } from '@slipway/db';
import { DATABASE } from '../platform.module.ts';
import { byHour, newIn, type RunCounters } from './run-counters.ts';

interface RunMeterRow extends RunCounters {
  containerId: string;
  generation: number;
  engineId: string;
  organizationId: string;
  projectId: string;
}

/**
 * Adds what runs have used to what their projects have. What agents report is counted once, however often
 * and in whatever order it comes: each report says how far a run's counters are.
 *
 * @unscoped only agents call it
 */
@Injectable()
export class RunMeterStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** @param told of each run one */
  async note(nodeId: string, told: readonly RunUsage[]): Promise<void> {
    if (told.length === 0) return;
    await this.database.transaction(async (tx) => {
      const rows = await metersOf(tx, nodeId, told);
      const byRun = new Map(told.map((run) => [keyOf(run), run]));
      const news = rows.flatMap((row) => {
        const run = byRun.get(keyOf(row));
        const used = run === undefined ? null : newIn(run, row);
        return run === undefined || used === null ? [] : [{ row, run, used }];
      });
      await tx.$executeRaw`UPDATE "RunMeter" m
        SET since = told.since, at = told.at, "cpuSeconds" = told."cpuSeconds",
          "memoryBytes" = told."memoryBytes", "memoryByteSeconds" = told."memoryByteSeconds"
        FROM jsonb_to_recordset(${json(news.map(({ row, run }) => ({ ...run, ...idOf(row) })))}::jsonb)
          AS told ("containerId" text, generation int, since timestamptz, at timestamptz,
            "cpuSeconds" float8, "memoryBytes" float8, "memoryByteSeconds" float8)
        WHERE m."containerId" = told."containerId" AND m.generation = told.generation`;
      const parts = news.flatMap(({ row: { organizationId, projectId }, used }) =>
        byHour(used).map((part) => ({ organizationId, projectId, ...part })),
      );
      await tx.$executeRaw`
        INSERT INTO "Usage" AS u
          ("organizationId", "projectId", hour, "cpuSeconds", "memoryByteSeconds")
        SELECT "organizationId", "projectId", hour, sum("cpuSeconds"), sum("memoryByteSeconds")
        FROM jsonb_to_recordset(${json(parts)}::jsonb) AS part ("organizationId" text,
          "projectId" text, hour timestamptz, "cpuSeconds" float8, "memoryByteSeconds" float8)
        GROUP BY 1, 2, 3 ORDER BY "projectId", hour
        ON CONFLICT ("projectId", hour) DO UPDATE SET
          "cpuSeconds" = u."cpuSeconds" + excluded."cpuSeconds",
          "memoryByteSeconds" = u."memoryByteSeconds" + excluded."memoryByteSeconds"`;
    });
  }
}

/** Those of runs on that node; nobody else counts them until the transaction ends. */
async function metersOf(
  tx: Prisma.TransactionClient,
  nodeId: string,
  told: readonly RunUsage[],
): Promise<RunMeterRow[]> {
  const runs = told.map(({ engineId, generation, startedAt }) => {
    return { engineId, generation, startedAt };
  });
  await tx.$executeRaw`INSERT INTO "RunMeter" ("containerId", generation, since, at)
    SELECT r."containerId", r.generation, "told"."startedAt", "told"."startedAt"
    FROM jsonb_to_recordset(${json(runs)}::jsonb)
      AS told ("engineId" text, generation int, "startedAt" timestamptz)
    JOIN "Container" c ON c."engineId" = told."engineId" AND c."nodeId" = ${nodeId}
    JOIN "Run" r ON r."containerId" = c.id AND r.generation = told.generation
    ORDER BY 1, 2 ON CONFLICT DO NOTHING`;
  return tx.$queryRaw<RunMeterRow[]>`SELECT m.*, c."engineId", c."organizationId", c."projectId"
    FROM jsonb_to_recordset(${json(runs)}::jsonb) AS told ("engineId" text, generation int)
    JOIN "Container" c ON c."engineId" = told."engineId" AND c."nodeId" = ${nodeId}
    JOIN "RunMeter" m ON m."containerId" = c.id AND m.generation = told.generation
    ORDER BY m."containerId", m.generation FOR UPDATE OF m`;
}

function keyOf({ engineId, generation }: Pick<RunUsage, 'engineId' | 'generation'>): string {
  return `${engineId}/${generation}`;
}

function idOf({ containerId, generation }: RunMeterRow) {
  return { containerId, generation };
}

function json(rows: readonly object[]): string {
  return JSON.stringify(rows);
}
