import { AppError } from '@slipway/contracts';
import { z } from 'zod';
import { QUOTA_NAMES, type QuotaName } from './quota.schema.ts';

/** What would be more than may be had. */
export const Excess = z.object({
  quota: z.enum(QUOTA_NAMES),
  of: z.enum(['organization', 'project']),
  limit: z.number(),
  used: z.number(),
  requested: z.number(),
});
export type Excess = z.output<typeof Excess>;

/** How a sentence calls it, and what makes room. */
const WORDS: Record<QuotaName, { what: string; remedy: string }> = {
  containers: { what: 'containers', remedy: 'Remove some' },
  cpus: { what: 'CPUs of containers that run', remedy: 'Stop some' },
  memoryBytes: { what: 'bytes of memory of containers that run', remedy: 'Stop some' },
  concurrentBuilds: { what: 'builds at a time', remedy: 'Let one end' },
  queuedBuilds: { what: 'builds that wait for their turn', remedy: 'Let some begin' },
  imageBytes: { what: 'bytes of images', remedy: 'Delete some' },
};

const WHO_RAISES = {
  organization: 'who runs the platform can raise it',
  project: 'the owners and admins of its organization can raise it',
};

export function quotaExceeded(excess: Excess): AppError {
  const { quota, of, limit, used, requested } = excess;
  const { what, remedy } = WORDS[quota];
  return new AppError(
    'quota-exceeded',
    `The ${of} may have ${limit} ${what}, and has ${used}; this needs ${requested} more. ${remedy} first, or have the limit raised: ${WHO_RAISES[of]}.`,
    { details: excess },
  );
}
