import { BuildStepSchema, flag } from '@slipway/contracts';
import { isRepositoryName, isTag } from '@slipway/oci';
import { z } from 'zod';
import { listOf } from '../http/query.ts';
import { Excess } from '../quotas/excess.ts';

/** What a context comes as; what it really is, its first bytes say. */
export const CONTEXT_TYPES = ['application/x-tar', 'application/gzip', 'application/zstd'] as const;

const image = z
  .string()
  .max(200)
  .refine(isRepositoryName, 'must be a name such as web or tools/web, in lower-case letters')
  .describe("The image's name in this project; made when it is not there");
const tag = z.string().refine(isTag, 'may have letters, digits, "_", "." and "-", at most 128');
const dockerfile = z.string().min(1).max(1024).describe('Its path in the context');
const target = z
  .string()
  .regex(/^[\w.-]{1,128}$/, 'must be the name or the number of a stage')
  .describe('The stage to build; the last one when left out');

/** BuildKit's limit, in characters. */
const MAX_SECRET = 500 * 1024;

/** The body of `POST …/builds`. */
export const NewBuild = z.strictObject({
  image,
  tag: tag.default('latest'),
  dockerfile: dockerfile.default('Dockerfile'),
  target: target.optional(),
  context: z.string().max(64).describe('Identifier of an uploaded context'),
  args: z
    .record(
      z.string().regex(/^[A-Za-z_]\w{0,127}$/, 'must be a name such as VERSION'),
      z.string().max(32_768),
    )
    .default({})
    .describe('Values for the ARG instructions'),
  labels: z
    .record(
      z.string().regex(/^[^\s=]{1,256}$/, 'must be a key such as com.example.team'),
      z.string().max(32_768),
    )
    .default({})
    .describe("What the image is labelled with, besides the Dockerfile's labels"),
  noCache: z.boolean().default(false).describe('Carry out each step anew'),
  secrets: z
    .record(
      z.string().regex(/^[A-Za-z0-9][\w.-]{0,127}$/, 'must be an identifier such as npm-token'),
      z.string().max(MAX_SECRET),
    )
    .default({})
    .describe(
      'What `RUN --mount=type=secret,id=…` finds. They get into no layer, are shown to nobody, and are forgotten when the build is over',
    ),
});
export type NewBuild = z.output<typeof NewBuild>;

/** What goes with a context that is the body. */
export const NewBuildQuery = z.strictObject({
  ...z.object({ image, tag, dockerfile, target }).partial().shape,
  noCache: flag('Carry out each step anew'),
});

/** A place in a build's log, as its pieces name theirs. */
export const BuildLogCursor = z.string().regex(/^\d{1,18}$/, "must be a piece's `cursor`");

export const Context = z
  .object({
    id: z.string(),
    sizeBytes: z.int(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Context' });

const time = z.iso.datetime().nullable();

export const BuildSummary = z
  .object({
    id: z.string(),
    image: z.string().describe("The image's name in the project"),
    tag: z.string(),
    context: z.string().describe('Of which context'),
    dockerfile: z.string(),
    target: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
    noCache: z.boolean(),
    state: z.string().meta({ examples: ['queued', 'running', 'succeeded', 'failed', 'cancelled'] }),
    reason: z
      .string()
      .nullable()
      .describe('Why it ended, as a stable code (docs/reasons.md)')
      .meta({ examples: ['completed', 'command-failed', 'dockerfile-invalid', 'cancelled'] }),
    message: z.string().nullable().describe('The reason in words'),
    digest: z.string().nullable().describe("Of the image's manifest, once it is in the registry"),
    createdAt: z.iso.datetime(),
    startedAt: time,
    finishedAt: time,
  })
  .meta({ id: 'BuildSummary' });

export const Build = BuildSummary.extend({
  waitsFor: Excess.nullable().describe(
    'The limit that one which is queued waits for (docs/quotas.md); null: it is next, or waits for a node',
  ),
  steps: z
    .array(
      BuildStepSchema.extend({
        output: z.string().describe('The last 16 KiB of what it wrote'),
      }),
    )
    .describe('The instructions of the Dockerfile, once it was read'),
}).meta({ id: 'Build' });

export const BuildList = listOf(BuildSummary).meta({ id: 'BuildList' });
