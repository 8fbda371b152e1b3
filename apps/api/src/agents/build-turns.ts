import type { Prisma } from '@slipway/db';
import type { Limits } from '../quotas/quota.schema.ts';

/** One build at a time is chosen. */
const LOCK = 7781;

/**
 * The build whose turn it is. Organizations take turns, however much each has queued: the one with
 * the fewest builds under way is next, of several the one whose last build began the longest ago.
 * Who has as many under way as it may is passed over, organization or project; otherwise an
 * organization's own builds keep their order. Chosen is chosen once: by one transaction at a time.
 * @param tx ends soon
 * @param usual what organizations may have whose own limits do not say
 * @returns null when no build may begin that is queued, or was left by its node
 */
export async function nextInTurn(
  tx: Prisma.TransactionClient,
  usual: Limits,
): Promise<string | null> {
  const usually = usual.concurrentBuilds ?? null;
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${LOCK})`;
  const now = new Date();
  const [next] = await tx.$queryRaw<{ id: string }[]>`
    WITH under_way AS MATERIALIZED (
      SELECT "organizationId", "projectId" FROM "Build"
      WHERE state = 'running' AND "leasedUntil" > ${now}
    ), waiting AS (
      SELECT "organizationId", "projectId", min(id) AS id FROM "Build"
      WHERE state IN ('queued', 'running') AND ("leasedUntil" IS NULL OR "leasedUntil" <= ${now})
      GROUP BY "organizationId", "projectId"
    ), free AS (
      SELECT w."organizationId", min(w.id) AS id
      FROM waiting w
      JOIN "Project" p ON p.id = w."projectId"
      JOIN "Organization" o ON o.id = w."organizationId"
      WHERE coalesce((p.limits ->> 'concurrentBuilds')::numeric >
          (SELECT count(*) FROM under_way u WHERE u."projectId" = p.id), true)
        AND coalesce(coalesce((o.limits ->> 'concurrentBuilds')::numeric, ${usually}::numeric) >
          (SELECT count(*) FROM under_way u WHERE u."organizationId" = o.id), true)
      GROUP BY w."organizationId"
    )
    SELECT id FROM free
    ORDER BY
      (SELECT count(*) FROM under_way u WHERE u."organizationId" = free."organizationId"),
      (SELECT max(b."startedAt") FROM "Build" b WHERE b."organizationId" = free."organizationId")
        NULLS FIRST,
      id
    LIMIT 1`;
  return next?.id ?? null;
}
