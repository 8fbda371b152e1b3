import type { Prisma } from '@slipway/db';

/** One build at a time is chosen. */
const LOCK = 7781;

/**
 * The build whose turn it is. Organizations take turns, however much each has queued: the one with
 * the fewest builds under way is next, of several the one whose last build began the longest ago.
 * An organization's own builds keep their order. Chosen is chosen once: by one transaction at a time.
 * @param tx ends soon
 * @returns null when no build is queued, and none was left by its node
 */
export async function nextInTurn(tx: Prisma.TransactionClient): Promise<string | null> {
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(${LOCK})`;
  const now = new Date();
  const [next] = await tx.$queryRaw<{ id: string }[]>`
    WITH free AS (
      SELECT "organizationId", min(id) AS id FROM "Build"
      WHERE state IN ('queued', 'running') AND ("leasedUntil" IS NULL OR "leasedUntil" <= ${now})
      GROUP BY "organizationId"
    )
    SELECT id FROM free
    ORDER BY
      (SELECT count(*) FROM "Build" b WHERE b."organizationId" = free."organizationId"
        AND b.state = 'running' AND b."leasedUntil" > ${now}),
      (SELECT max(b."startedAt") FROM "Build" b WHERE b."organizationId" = free."organizationId")
        NULLS FIRST,
      id
    LIMIT 1`;
  return next?.id ?? null;
}
