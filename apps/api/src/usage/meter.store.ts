import { Inject, Injectable } from '@nestjs/common';
import type { Subject, SubjectUsage } from '@slipway/contracts';
import type { Database, Prisma } from '@slipway/db';
import { DATABASE } from '../platform.module.ts';
import { addUsage } from './add-usage.ts';
import { byHour, type Counters, newIn } from './counters.ts';

interface MeterRow extends Counters {
  subject: string;
  organizationId: string;
  projectId: string;
}

/**
 * Adds what runs and builds have used to what their projects have. What agents report is counted once, however
 * often and in whatever order it comes: each report says how far the counters are.
 *
 * @unscoped only agents call it
 */
@Injectable()
export class MeterStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** @param told of each subject one */
  async note(nodeId: string, told: readonly SubjectUsage[]): Promise<void> {
    if (told.length === 0) return;
    const bySubject = new Map(told.map((usage) => [nameOf(usage.subject), usage]));
    await this.database.transaction(async (tx) => {
      const rows = await metersOf(tx, nodeId, bySubject);
      const news = rows.flatMap((row) => {
        const usage = bySubject.get(row.subject);
        return usage === undefined ? [] : [{ ...row, ...newIn(usage, row) }];
      });
      await tx.$executeRaw`UPDATE "Meter" m
        SET since = told.since, at = told.at, "cpuSeconds" = told."cpuSeconds",
          "memoryBytes" = told."memoryBytes", "memoryByteSeconds" = told."memoryByteSeconds"
        FROM jsonb_to_recordset(${json(news.map(({ subject, counters }) => ({ subject, ...counters })))}::jsonb)
          AS told (subject text, since timestamptz, at timestamptz,
            "cpuSeconds" float8, "memoryBytes" float8, "memoryByteSeconds" float8)
        WHERE m.subject = told.subject`;
      const parts = news.flatMap(({ organizationId, projectId, used }) =>
        byHour(used).map((part) => ({ organizationId, projectId, ...part })),
      );
      await addUsage(tx, parts);
    });
  }
}

/**
 * Those of what is, or was when its meter began, on that node; nobody else counts them until the transaction
 * ends.
 */
async function metersOf(
  tx: Prisma.TransactionClient,
  nodeId: string,
  told: ReadonlyMap<string, SubjectUsage>,
): Promise<MeterRow[]> {
  const subjects = json(
    [...told].map(([name, { subject, startedAt }]) => ({ ...subject, name, startedAt })),
  );
  await tx.$executeRaw`
    INSERT INTO "Meter" (subject, "nodeId", "organizationId", "projectId", since, at)
    SELECT told.name, ${nodeId}, coalesce(c."organizationId", b."organizationId"),
      coalesce(c."projectId", b."projectId"), told."startedAt", told."startedAt"
    FROM jsonb_to_recordset(${subjects}::jsonb) AS told (name text, "startedAt" timestamptz,
      "engineId" text, generation int, "buildId" text, attempt int)
    LEFT JOIN ("Container" c JOIN "Run" r ON r."containerId" = c.id)
      ON c."engineId" = told."engineId" AND r.generation = told.generation AND c."nodeId" = ${nodeId}
    LEFT JOIN "Build" b
      ON b.id = told."buildId" AND b.attempt = told.attempt AND b."nodeId" = ${nodeId}
    WHERE c.id IS NOT NULL OR b.id IS NOT NULL
    ORDER BY 1 ON CONFLICT DO NOTHING`;
  return tx.$queryRaw<MeterRow[]>`SELECT * FROM "Meter"
    WHERE subject IN (SELECT name FROM jsonb_to_recordset(${subjects}::jsonb) AS told (name text))
      AND "nodeId" = ${nodeId}
    ORDER BY subject FOR UPDATE`;
}

/** As its meter is called. */
function nameOf(subject: Subject): string {
  if ('engineId' in subject) return `run/${subject.engineId}/${subject.generation}`;
  return `build/${subject.buildId}/${subject.attempt}/${subject.sandbox}`;
}

function json(rows: readonly object[]): string {
  return JSON.stringify(rows);
}
