import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '@slipway/db';
import { DATABASE } from '../platform.module.ts';
import { addUsage, type UsagePart } from './add-usage.ts';

/**
 * Adds what images have held to what their projects have used: of each project each blob and each manifest
 * once, from when a repository of it had it first until none has it.
 *
 * @unscoped the platform counts for all
 */
@Injectable()
export class StoredStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /**
   * From where it was counted last; nothing, where another replica counts at the moment.
   * @param until what begins or ends before is committed
   */
  async count(until: Date): Promise<void> {
    await this.database.transaction(async (tx) => {
      const [last] = await tx.$queryRaw<{ until: Date }[]>`
        SELECT until FROM "StoredUntil" WHERE until < ${until} FOR UPDATE SKIP LOCKED`;
      if (last === undefined) return;
      const parts = await tx.$queryRaw<UsagePart[]>`
        WITH link AS (
          SELECT "projectId", digest, "sizeBytes", b."createdAt" AS "from", ${until}::timestamptz AS "to"
            FROM "RepositoryBlob" b JOIN "Repository" r ON r.id = "repositoryId"
          UNION ALL
          SELECT "projectId", digest, octet_length(content), m."createdAt", ${until}
            FROM "Manifest" m JOIN "Repository" r ON r.id = "repositoryId"
          UNION ALL
          SELECT "projectId", digest, "sizeBytes", "linkedAt", least("unlinkedAt", ${until})
            FROM "Unlinked"
        ), stored AS (
          SELECT "projectId", max("sizeBytes")::float8 AS bytes,
            range_agg(tstzrange(greatest("from", ${last.until}), "to")) AS times
          FROM link WHERE "from" < "to" AND "to" > ${last.until} GROUP BY "projectId", digest
        ), hours AS (
          SELECT hour, tstzmultirange(tstzrange(hour, hour + interval '1 hour')) AS times
          FROM generate_series(
            date_trunc('hour', ${last.until}, 'UTC'), ${until}, interval '1 hour') AS hour
        )
        SELECT "organizationId", "projectId", hour,
          sum(bytes * extract(epoch FROM upper(part) - lower(part))::float8) AS "storedByteSeconds"
        FROM stored JOIN "Project" p ON p.id = "projectId", hours, unnest(stored.times * hours.times) AS part
        GROUP BY 1, 2, 3`;
      await addUsage(tx, parts);
      await tx.$executeRaw`DELETE FROM "Unlinked" WHERE "unlinkedAt" <= ${until}`;
      await tx.$executeRaw`UPDATE "StoredUntil" SET until = ${until}`;
    });
  }
}
