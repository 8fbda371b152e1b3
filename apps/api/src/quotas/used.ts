import type { Queries } from '@slipway/db';
import type { Amounts, QuotaName } from './quota.schema.ts';

/** An organization, or a project of it. */
export interface Place {
  organizationId: string;
  projectId: string | null;
}

type Count = (on: Queries, place: Place) => Promise<Partial<Amounts>>;

const COUNTS: Record<QuotaName, Count> = {
  ...{ containers: containersIn, cpus: containersIn, memoryBytes: containersIn },
  ...{ concurrentBuilds: buildsIn, queuedBuilds: buildsIn },
  imageBytes: imagesIn,
};

/** How much there is of each of `names` at least: what is counted together comes together. */
export async function usedIn(
  on: Queries,
  place: Place,
  names: readonly QuotaName[],
): Promise<Partial<Amounts>> {
  const used: Partial<Amounts> = {};
  for (const count of new Set(names.map((name) => COUNTS[name]))) {
    Object.assign(used, await count(on, place));
  }
  return used;
}

/** A container that waits for its next run runs. */
async function containersIn(on: Queries, { organizationId, projectId }: Place) {
  const [used] = await on.$queryRaw<Pick<Amounts, 'containers' | 'cpus' | 'memoryBytes'>[]>`
    SELECT count(*)::int AS containers,
      coalesce(sum((spec ->> 'cpus')::numeric) FILTER (WHERE runs), 0)::float8 AS cpus,
      coalesce(sum((spec ->> 'memoryBytes')::numeric) FILTER (WHERE runs), 0)::float8 AS "memoryBytes"
    FROM (
      SELECT spec, generation > 0 AND (
        "restartAt" IS NOT NULL OR state IN ('pending', 'running', 'restarting', 'stopping')) AS runs
      FROM "Container" WHERE "organizationId" = ${organizationId} AND desired <> 'removed'
        AND (${projectId}::text IS NULL OR "projectId" = ${projectId})
    ) AS present`;
  return { ...used };
}

/** One whose node has gone is neither, until another takes it. */
async function buildsIn(on: Queries, { organizationId, projectId }: Place) {
  const [used] = await on.$queryRaw<Pick<Amounts, 'concurrentBuilds' | 'queuedBuilds'>[]>`
    SELECT count(*) FILTER (WHERE state = 'running' AND "leasedUntil" > ${new Date()})::int AS "concurrentBuilds",
      count(*) FILTER (WHERE state = 'queued')::int AS "queuedBuilds"
    FROM "Build" WHERE "organizationId" = ${organizationId} AND state IN ('queued', 'running')
      AND (${projectId}::text IS NULL OR "projectId" = ${projectId})`;
  return { ...used };
}

/** What several repositories have is there once: a blob, or a manifest. */
async function imagesIn(on: Queries, { organizationId, projectId }: Place) {
  const [used] = await on.$queryRaw<Pick<Amounts, 'imageBytes'>[]>`
    WITH repository AS (
      SELECT id FROM "Repository" WHERE "organizationId" = ${organizationId}
        AND (${projectId}::text IS NULL OR "projectId" = ${projectId})
    )
    SELECT coalesce(sum(bytes), 0)::float8 AS "imageBytes" FROM (
      SELECT digest, "sizeBytes" FROM "RepositoryBlob" JOIN repository ON id = "repositoryId"
      UNION SELECT digest, octet_length(content) FROM "Manifest" JOIN repository ON id = "repositoryId"
      UNION SELECT u.id, "sizeBytes" FROM "BlobUpload" u JOIN repository r ON r.id = "repositoryId"
    ) AS stored (digest, bytes)`;
  return { ...used };
}
