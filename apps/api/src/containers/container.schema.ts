import { CONTAINER_STATES } from '@slipway/lifecycle';
import { signalNumber } from '@slipway/process';
import { z } from 'zod';
import { ShownEnvironment } from '../access/environment.ts';
import { listOf } from '../http/query.ts';
import { RESTART_POLICY } from './restart-policy.ts';

const MIB = 1024 * 1024;

/** Docker's names; one that looks like an identifier is none. */
export const ContainerName = z
  .string()
  .max(128)
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'may have letters, digits, "_", "." and "-"')
  .refine((name) => !/^[a-z]{3}_/.test(name), 'looks like an identifier: choose another beginning');

const text = z.string().max(32_768);
const words = z.array(text).max(1024);

/** The body of `POST …/containers`. */
export const NewContainer = z.strictObject({
  image: z
    .string()
    .max(512)
    .describe('A repository of the project, or a base image; maybe with :tag or @digest'),
  name: ContainerName.optional().describe('One is made up when it is left out'),
  command: words.optional().describe("In place of the image's Cmd"),
  entrypoint: words
    .optional()
    .describe("In place of the image's Entrypoint; then its Cmd does not count either"),
  env: z.record(z.string().regex(/^[^=]+$/, 'may not have "="'), text).default({}),
  user: text
    .regex(/^[^:]*(:[^:]*)?$/, 'must be a user, or user:group')
    .optional()
    .describe("Name or uid, maybe : and a group, in place of the image's"),
  workingDir: text.refine((path) => path.startsWith('/'), 'must begin with /').optional(),
  labels: z.record(z.string().min(1).max(256), text).default({}),
  memoryBytes: z
    .int()
    .min(6 * MIB)
    .max(1024 * 1024 * MIB)
    .default(512 * MIB)
    .describe('Its processes are ended when they need more'),
  cpus: z.number().min(0.01).max(1024).default(1).describe("Of one CPU's time: 0.5 is half of one"),
  pids: z.int().min(1).max(1_000_000).default(1024).describe('Processes and threads at a time'),
  restartPolicy: z
    .string()
    .regex(
      RESTART_POLICY,
      'must be no, always, unless-stopped, on-failure, or on-failure:<times>, such as on-failure:5',
    )
    .default('no')
    .describe(
      'When a run ends that nobody stopped: `no` other one, `always` one, `on-failure` one unless its exit code was 0, at most so many times in `on-failure:<times>`. When the node begins anew, `always` brings back also what somebody had stopped, and `unless-stopped` does not',
    ),
  start: z.boolean().default(true),
});
export type NewContainer = z.output<typeof NewContainer>;

/** As with `docker stop`. */
export const STOP_GRACE_MS = 10_000;

/** The body of `POST …/stop` and `POST …/restart`. */
export const StopContainer = z.strictObject({
  graceMs: z
    .int()
    .min(0)
    .max(3_600_000)
    .default(STOP_GRACE_MS)
    .describe('How long its program has from the stop signal to its end; 0: no signal, its end'),
});

/** The body of `POST …/kill`. */
export const KillContainer = z.strictObject({
  signal: z
    .string()
    .default('SIGKILL')
    .transform((text, { addIssue }) => {
      const number = signalNumber(text);
      if (number !== null) return number;
      addIssue('must be the name of a signal, such as SIGHUP, or a number from 1 to 64');
      return z.NEVER;
    }),
});

const time = z.iso.datetime().nullable();

export const Container = z
  .object({
    id: z.string(),
    engineId: z.string().describe('64 hexadecimal digits, as Docker has them'),
    name: z.string(),
    image: z.string().describe('As it was asked for'),
    imageDigest: z.string().describe('What that was when it was asked for'),
    command: z.array(z.string()).nullable(),
    entrypoint: z.array(z.string()).nullable(),
    env: ShownEnvironment,
    user: z.string().nullable(),
    workingDir: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
    memoryBytes: z.int(),
    cpus: z.number(),
    pids: z.int(),
    restartPolicy: z.string(),
    restartCount: z
      .int()
      .describe('The runs that its restart policy began since somebody started it'),
    state: z.string().meta({ examples: [...CONTAINER_STATES] }),
    residency: z
      .string()
      .describe('Where what runs is: `hot` in memory, `cold` on disk only')
      .meta({ examples: ['hot', 'cold'] }),
    exitCode: z
      .int()
      .nullable()
      .describe('Of the newest run; 128 and the number of the signal that ended it'),
    reason: z
      .string()
      .nullable()
      .describe('Why the newest run ended, as a stable code (docs/reasons.md)')
      .meta({ examples: ['completed', 'error', 'oom-killed', 'stopped', 'image-not-found'] }),
    message: z.string().nullable().describe('The reason in words'),
    generation: z.int().describe('Counts the runs; 0: none yet'),
    service: z.string().nullable().describe('The service that it is an instance of'),
    createdAt: z.iso.datetime(),
    startedAt: time.describe('Of the newest run'),
    finishedAt: time.describe('Of the newest run'),
  })
  .meta({ id: 'Container' });

export const ContainerList = listOf(Container).meta({ id: 'ContainerList' });
