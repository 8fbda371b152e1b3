import type { Prisma } from '@slipway/db';
import type { Amounts } from './usage.schema.ts';

/** Of a project, in an hour; what is left out is nothing. */
export interface UsagePart extends Partial<Amounts> {
  organizationId: string;
  projectId: string;
  hour: Date;
}

/** Adds to what projects have used. It locks rows in their order: nothing else that is locked comes after it. */
export async function addUsage(
  tx: Prisma.TransactionClient,
  parts: readonly UsagePart[],
): Promise<void> {
  if (parts.length === 0) return;
  await tx.$executeRaw`
    INSERT INTO "Usage" AS u ("organizationId", "projectId", hour,
      "cpuSeconds", "memoryByteSeconds", "storedByteSeconds", "servedBytes")
    SELECT "organizationId", "projectId", hour,
      coalesce(sum("cpuSeconds"), 0), coalesce(sum("memoryByteSeconds"), 0),
      coalesce(sum("storedByteSeconds"), 0), coalesce(sum("servedBytes"), 0)
    FROM jsonb_to_recordset(${JSON.stringify(parts)}::jsonb) AS part (
      "organizationId" text, "projectId" text, hour timestamptz, "cpuSeconds" float8,
      "memoryByteSeconds" float8, "storedByteSeconds" float8, "servedBytes" float8)
    GROUP BY 1, 2, 3 ORDER BY "projectId", hour
    ON CONFLICT ("projectId", hour) DO UPDATE SET
      "cpuSeconds" = u."cpuSeconds" + excluded."cpuSeconds",
      "memoryByteSeconds" = u."memoryByteSeconds" + excluded."memoryByteSeconds",
      "storedByteSeconds" = u."storedByteSeconds" + excluded."storedByteSeconds",
      "servedBytes" = u."servedBytes" + excluded."servedBytes"`;
}
