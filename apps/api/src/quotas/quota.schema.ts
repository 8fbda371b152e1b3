import { z } from 'zod';
import { mergePatchOf } from '../http/merge-patch.ts';

export const QUOTA_NAMES = [
  'containers',
  'cpus',
  'memoryBytes',
  'concurrentBuilds',
  'queuedBuilds',
  'imageBytes',
] as const;
/** What an organization and each of its projects may have so much of. */
export type QuotaName = (typeof QUOTA_NAMES)[number];

/** An amount of each. */
export type Amounts = Readonly<Record<QuotaName, number>>;

const count = (what: string) => z.int().min(0).describe(what);

/** How much may be had; what is not there is not limited. */
export const Limits = z.strictObject({
  containers: count('Containers, those that rest too').optional(),
  cpus: z.number().min(0).optional().describe('Of the containers that run, together'),
  memoryBytes: count('Of the containers that run, together').optional(),
  concurrentBuilds: count('Builds that run at a time; others wait for their turn').optional(),
  queuedBuilds: count('Builds that wait for their turn').optional(),
  imageBytes: count('Of images and what is pushed of them just now, each blob once').optional(),
}) satisfies z.ZodType<Limits>;
export type Limits = { [name in QuotaName]?: number | undefined };

/** The body of `PATCH …/quotas`; null: as if it had never been set. */
export const LimitsPatch = mergePatchOf(Limits);
export type LimitsPatch = z.output<typeof LimitsPatch>;

const Quota = z.object({
  limit: z.number().nullable().describe('null: none'),
  used: z.number(),
});

export const Quotas = z
  .object({
    ...{ containers: Quota, cpus: Quota, memoryBytes: Quota },
    ...{ concurrentBuilds: Quota, queuedBuilds: Quota, imageBytes: Quota },
  })
  .meta({ id: 'Quotas' });
export type Quotas = z.input<typeof Quotas>;
