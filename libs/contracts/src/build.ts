import { z } from 'zod';

/**
 * Why a build ended. Codes are stable, and new ones may come. `docs/reasons.md` says what each means.
 */
export const BUILD_REASONS = [
  'completed',
  'context-unusable',
  'dockerfile-not-found',
  'dockerfile-invalid',
  'base-image-not-found',
  'command-failed',
  'instruction-failed',
  'oom-killed',
  'disk-exceeded',
  'quota-exceeded',
  'timed-out',
  'node-lost',
  'builder-failed',
  'cancelled',
] as const;
export type BuildReason = (typeof BUILD_REASONS)[number];

const time = z.iso.datetime().nullable().default(null);

/** One instruction of the Dockerfile. */
export const BuildStepSchema = z.strictObject({
  /** from 1, through all stages */
  number: z.int().min(1),
  /** of the Dockerfile, from 1 */
  line: z.int().min(1),
  /** as it stands there, its lines joined */
  instruction: z.string(),
  /** `skipped`: of a stage that the image does not need */
  state: z.enum(['waiting', 'running', 'succeeded', 'failed', 'cancelled', 'skipped']),
  /** its result was there already, of an earlier build */
  cached: z.boolean(),
  startedAt: time,
  finishedAt: time,
});
export type BuildStep = z.infer<typeof BuildStepSchema>;

/** All that an agent needs to make an image. */
export const BuildOrderSchema = z.strictObject({
  /** `bld_…` */
  id: z.string(),
  /** of the request that led to it */
  requestId: z.string(),
  /** counts how often it was begun: who was told an earlier one has lost it */
  attempt: z.int().min(1),
  /** `prj_…`: intermediate results are kept apart by it */
  projectId: z.string(),
  /** `<organization>/<project>`: where names in the Dockerfile are looked for, before base images */
  place: z.string(),
  /** where to push: `<organization>/<project>/<name>` */
  repository: z.string(),
  tag: z.string(),
  /** its path in the context */
  dockerfile: z.string(),
  /** the stage to build; null: the last */
  target: z.string().nullable(),
  args: z.record(z.string(), z.string()),
  /** what the image is labelled with besides its Dockerfile's */
  labels: z.record(z.string(), z.string()),
  /** each step is to be carried out anew */
  noCache: z.boolean(),
  /** what `RUN --mount=type=secret` finds, by their identifiers; they get into no layer */
  secrets: z.record(z.string(), z.string()),
  /** lets one pull what the project may, for as long as it may take */
  token: z.string(),
  timeoutMs: z.int(),
});
export type BuildOrder = z.infer<typeof BuildOrderSchema>;

/** Some of what a build has written. */
export const BuildOutputSchema = z.strictObject({
  /** the step that wrote it; null: none did */
  step: z.int().nullable(),
  time: z.iso.datetime(),
  text: z.string(),
});
export type BuildOutput = z.infer<typeof BuildOutputSchema>;

export const BuildEndSchema = z.discriminatedUnion('state', [
  /** `digest`: of the image's manifest, which is in the registry */
  z.strictObject({ state: z.literal('succeeded'), digest: z.string() }),
  z.strictObject({
    state: z.literal('failed'),
    reason: z.enum(BUILD_REASONS),
    message: z.string(),
  }),
]);
export type BuildEnd = z.infer<typeof BuildEndSchema>;

/** Nobody hears of a build for so long: another may take it. */
export const BUILD_LEASE_MS = 10_000;

/** So often a build is begun before it fails for what is not its own fault. */
export const BUILD_ATTEMPTS = 3;
