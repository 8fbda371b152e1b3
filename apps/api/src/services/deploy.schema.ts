import { DEPLOY_STATES } from '@slipway/lifecycle';
import { z } from 'zod';
import { listOf } from '../http/query.ts';

/** What a deploy goes through, in this order. */
export const DEPLOY_PHASES = ['place', 'pull', 'start', 'healthy', 'route'] as const;
export type PhaseName = (typeof DEPLOY_PHASES)[number];

/**
 * Why a deploy ended. Codes are stable, and new ones may come. `docs/reasons.md` says what each means.
 */
export const DEPLOY_REASONS = [
  'completed',
  'not-placed',
  'quota-exceeded',
  'not-started',
  'instance-ended',
  'unhealthy',
  'superseded',
  'rolled-back',
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

/** What there was to see of its instance when it failed. */
export const DeployFailure = z.object({
  probe: z
    .object({
      port: z.int(),
      path: z.string().nullable().describe('null: the port was to take connections'),
      timeoutMs: z.int(),
      message: z.string().nullable().describe('What was in the way when it was probed last'),
    })
    .describe('What it was asked'),
  instance: z.object({
    ...{ state: z.string(), exitCode: z.int().nullable() },
    ...{ reason: z.string().nullable(), message: z.string().nullable() },
  }),
  lastLines: z
    .array(z.object({ time: z.iso.datetime(), stream: z.string(), line: z.string() }))
    .nullable()
    .describe('What it wrote last; null: its node did not answer'),
});
export type DeployFailure = z.output<typeof DeployFailure>;

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
    failure: DeployFailure.nullable().describe('Of one that failed and had an instance'),
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
