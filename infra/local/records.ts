import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writeWhole } from './files.ts';
import type { Instance } from './instance.ts';
import { startTimeOf } from './process.ts';

/** `.slipway/processes.json`: what runs, and so what a later start or stop may have to end. */
const RunningProcessSchema = z.object({
  name: z.string(),
  pid: z.int(),
  /** clock ticks, of /proc/PID/stat: tells it from a later process with the same pid */
  startTime: z.string(),
});
export type RunningProcess = z.infer<typeof RunningProcessSchema>;

export function processesFileOf({ stateDir }: Instance): string {
  return join(stateDir, 'processes.json');
}

export function writeProcesses(instance: Instance, processes: readonly RunningProcess[]): void {
  writeWhole(processesFileOf(instance), processes);
}

/** Those of the file that live. */
export function liveProcesses(instance: Instance): RunningProcess[] {
  const parsed = z.array(RunningProcessSchema).safeParse(readJson(processesFileOf(instance)));
  if (!parsed.success) return [];
  return parsed.data.filter(({ pid, startTime }) => startTimeOf(pid) === startTime);
}

const StatesSchema = z.record(z.string(), z.enum(['up', 'down']));
export type States = z.infer<typeof StatesSchema>;

/** `parts.json` of the run folder: which parts are up, for the API's `/v1/health`. */
export function statesFileOf({ runDir }: Instance): string {
  return join(runDir, 'parts.json');
}

/** None before the first part has begun. */
export function readStates(instance: Instance): States {
  return StatesSchema.safeParse(readJson(statesFileOf(instance))).data ?? {};
}

/** `.slipway/endpoints.json`: where the running platform is, for scripts and people. */
const EndpointsSchema = z.object({
  /** base URL without a trailing slash */
  api: z.string(),
  /** where services answer, each to its own host name; base URL without a trailing slash */
  edge: z.string(),
  /** host and port of the image registry, plain HTTP */
  registry: z.string(),
  /** the operator's and owner's API key */
  token: z.string(),
  /** slugs */
  organization: z.string(),
  project: z.string(),
  /** where the sample answers, unless somebody has deleted it */
  sampleUrl: z.string().optional(),
});
export type Endpoints = z.infer<typeof EndpointsSchema>;

export function endpointsFileOf({ stateDir }: Instance): string {
  return join(stateDir, 'endpoints.json');
}

export function readEndpoints(instance: Instance): Endpoints | null {
  return EndpointsSchema.safeParse(readJson(endpointsFileOf(instance))).data ?? null;
}
