import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '@slipway/db';
import type { OrganizationScope, ProjectScope } from '../access/scope.store.ts';
import { DATABASE } from '../platform.module.ts';
import type { Amounts, Interval, Period } from './usage.schema.ts';

/** What was used, by whole hours. */
@Injectable()
export class UsageStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** Of each project that used something, by their slugs. */
  byProject(
    { organizationId }: OrganizationScope,
    { from, to }: Period,
  ): Promise<(Amounts & { project: string })[]> {
    return this.database.prisma.$queryRaw`SELECT p.slug AS project,
        sum("cpuSeconds") AS "cpuSeconds", sum("memoryByteSeconds") AS "memoryByteSeconds",
        sum("storedByteSeconds") AS "storedByteSeconds", sum("servedBytes") AS "servedBytes"
      FROM "Usage" u JOIN "Project" p ON p.id = u."projectId"
      WHERE u."organizationId" = ${organizationId} AND hour >= ${from} AND hour < ${to}
      GROUP BY p.slug ORDER BY p.slug`;
  }

  /** In each interval in which the project used something, the oldest first. */
  byTime(
    { organizationId, projectId }: ProjectScope,
    { from, to }: Period,
    interval: Interval,
  ): Promise<(Amounts & { from: Date })[]> {
    return this.database.prisma.$queryRaw`SELECT date_trunc(${interval}, hour, 'UTC') AS "from",
        sum("cpuSeconds") AS "cpuSeconds", sum("memoryByteSeconds") AS "memoryByteSeconds",
        sum("storedByteSeconds") AS "storedByteSeconds", sum("servedBytes") AS "servedBytes"
      FROM "Usage" WHERE "organizationId" = ${organizationId} AND "projectId" = ${projectId}
        AND hour >= ${from} AND hour < ${to}
      GROUP BY 1 ORDER BY 1`;
  }
}
