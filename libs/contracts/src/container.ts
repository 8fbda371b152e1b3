import { z } from 'zod';

/** A run is ready when its port takes a connection, or answers `GET <path>` with a status from 200 to 399. */
const ProbeSchema = z.strictObject({
  port: z.int(),
  path: z.string().nullable(),
});
export type Probe = z.infer<typeof ProbeSchema>;

/** What a run is made of besides its image; absent: as the image says. */
export const ContainerSpecSchema = z.strictObject({
  /** in place of the image's Entrypoint; then the image's Cmd does not count */
  entrypoint: z.array(z.string()).optional(),
  /** in place of the image's Cmd */
  command: z.array(z.string()).optional(),
  /** besides the image's, and before them */
  env: z.record(z.string(), z.string()),
  /** name or uid, maybe `:` and a group */
  user: z.string().optional(),
  workingDir: z.string().optional(),
  memoryBytes: z.int(),
  /** of one CPU's time: 0.5 is half of one */
  cpus: z.number(),
  /** processes and threads at a time */
  pids: z.int(),
  /** what tells when a run is ready; without one nobody asks */
  probe: ProbeSchema.optional(),
});
export type ContainerSpec = z.infer<typeof ContainerSpecSchema>;

/** What a container should be; the agent brings it there. */
export const DESIRED_STATES = ['running', 'stopped', 'removed'] as const;
export type DesiredState = (typeof DESIRED_STATES)[number];

/**
 * Why a run ended, or a container failed. Codes are stable, and new ones may come.
 * `docs/reasons.md` says what each means.
 */
export const END_REASONS = [
  'completed',
  'error',
  'oom-killed',
  'stopped',
  'removed',
  'instance-stopped',
  'image-not-found',
  'image-unusable',
  'command-missing',
  'command-not-found',
  'command-not-executable',
  'user-not-found',
  'start-failed',
] as const;
export type EndReason = (typeof END_REASONS)[number];
