import { DEPLOY_STATES } from '@slipway/lifecycle';
import { z } from 'zod';
import { listOf } from '../http/query.ts';

/** What a deploy goes through, in this order. */
export const DEPLOY_PHASES = ['place', 'start', 'healthy', 'route'] as const;
export type PhaseName = (typeof DEPLOY_PHASES)[number];

/**
 * Why a deploy ended. Codes are stable, and new ones may come. `docs/reasons.md` says what each means.
 */
export const DEPLOY_REASONS = [
  'completed',
  'not-placed',
  'not-started',
  'instance-ended',
  'unhealthy',
  'superseded',
  'service-deleted',
] as const;
export type DeployReason = (typeof DEPLOY_REASONS)[number];

const time = z.iso.datetime().nullable();

export const DeployPhase = z.object({
  name: z.string().meta({ examples: [...DEPLOY_PHASES] }),
  state: z.string().meta({ examples: ['waiting', 'running', 'succeeded', 'failed', 'cancelled'] }),
  startedAt: time,
  finishedAt: time,
});
export type DeployPhase = z.output<typeof DeployPhase>;

export const Deploy = z
  .object({
    id: z.string(),
    service: z.string(),
    revision: z.string(),
    imageDigest: z.string().describe("Of the image's manifest"),
    state: z.string().meta({ examples: [...DEPLOY_STATES] }),
    reason: z
      .string()
      .nullable()
      .describe('Why it ended, as a stable code (docs/reasons.md)')
      .meta({ examples: [...DEPLOY_REASONS] }),
    message: z.string().nullable().describe('The reason in words'),
    phases: z.array(DeployPhase),
    container: z
      .string()
      .nullable()
      .describe(
        'Its instance, with the logs; one of a failed deploy is stopped, and kept until a newer one succeeds',
      ),
    createdAt: z.iso.datetime(),
    startedAt: time,
    finishedAt: time,
  })
  .meta({ id: 'Deploy' });

export const DeployList = listOf(Deploy).meta({ id: 'DeployList' });
