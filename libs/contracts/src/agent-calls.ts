import { z } from 'zod';
import { BuildEndSchema, BuildOrderSchema, BuildOutputSchema, BuildStepSchema } from './build.ts';
import { ContainerSpecSchema, DESIRED_STATES, END_REASONS } from './container.ts';

/** One call: what is sent and what comes back. */
export interface Call<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  input: I;
  output: O;
}

function call<I extends z.ZodType, O extends z.ZodType>(input: I, output: O): Call<I, O> {
  return { input, output };
}

const Nothing = z.strictObject({});
const Time = z.iso.datetime();
const nodeId = z.string();
/** 64 hexadecimal digits: containerd's id, by which agents know a container */
export const EngineIdSchema = z.string().regex(/^[0-9a-f]{64}$/);
const engineId = EngineIdSchema;

/** What the desired set says of one container, to tell it from what the node has. */
const DesiredContainerSchema = z.strictObject({
  engineId,
  desired: z.enum(DESIRED_STATES),
  /** of the newest run; 0: none yet */
  generation: z.int(),
  /** that run is over, and the API knows how it ended */
  isRunOver: z.boolean(),
  /** false: the API waits to be told what became of it */
  isSettled: z.boolean(),
  /** its newest run has a probe that has not succeeded yet */
  awaitsProbe: z.boolean(),
});
export type DesiredContainer = z.infer<typeof DesiredContainerSchema>;

/** `a.b.0.0/16`: what a node's containers have their addresses from. */
export const NetworkRangeSchema = z.string().regex(/^(\d{1,3}\.){2}0\.0\/16$/);

/** A container's place in its project's network on a node. */
const AddressSchema = z.strictObject({
  /** `sub_…`: what the project has of the node's range */
  subnetId: z.string(),
  /** tells the node's subnets apart */
  index: z.int().min(0).max(255),
  /** the node's own address in it */
  gateway: z.ipv4(),
  address: z.ipv4(),
  /** the subnet's, for both: 24 */
  prefixLength: z.int(),
});
export type Address = z.infer<typeof AddressSchema>;

/** All that an agent needs to bring a container where it should be. */
const ContainerOrderSchema = DesiredContainerSchema.extend({
  /** `ctr_…`: by which people know it */
  id: z.string(),
  /** of the request that led to what is desired now */
  requestId: z.string(),
  name: z.string(),
  /** how long a program that is to stop has from its stop signal to its end; 0: no signal, its end */
  stopGraceMs: z.int().min(0),
  spec: ContainerSpecSchema,
  address: AddressSchema,
  image: z.strictObject({
    /** as the registry knows it: `<organization>/<project>/<name>` */
    repository: z.string(),
    digest: z.string(),
    /** the header's value that lets one pull it, for some minutes */
    authorization: z.string(),
  }),
});
export type ContainerOrder = z.infer<typeof ContainerOrderSchema>;

const generation = z.int().min(1);
const buildId = z.string();
const attempt = z.int().min(1);
const message = z.string().nullable();

/** What an agent saw of a container. Seen twice or late it changes nothing. */
export const ObservationSchema = z.discriminatedUnion('state', [
  /** its image is on the node; told of those that have a probe */
  z.strictObject({ state: z.literal('pulled') }),
  z.strictObject({ state: z.literal('created') }),
  z.strictObject({ state: z.literal('running'), generation, startedAt: Time }),
  /** the run's probe has succeeded */
  z.strictObject({ state: z.literal('ready'), generation }),
  /** it has not yet, and why */
  z.strictObject({ state: z.literal('unready'), generation, message: z.string() }),
  z.strictObject({
    state: z.literal('exited'),
    generation,
    /** 128 and the signal's number when one ended it; null when nobody knows */
    exitCode: z.int().nullable(),
    reason: z.enum(END_REASONS),
    message,
    /** null: it never began, or nobody knows when */
    startedAt: Time.nullable(),
    finishedAt: Time,
  }),
  /** the run could not begin; generation 0: the container could not be made */
  z.strictObject({
    state: z.literal('failed'),
    generation: z.int().min(0),
    reason: z.enum(END_REASONS),
    message,
    finishedAt: Time,
  }),
  /** nothing is left of it */
  z.strictObject({
    state: z.literal('removed'),
    /** that this ended; null: none ran */
    run: z.strictObject({ generation, exitCode: z.int() }).nullable(),
  }),
]);
export type Observation = z.infer<typeof ObservationSchema>;

/** What an agent counts by itself. */
const SubjectSchema = z.union([
  /** a run of a container */
  z.strictObject({ engineId, generation }),
  /** what makes a build’s image, or what pushes it */
  z.strictObject({ buildId, attempt, sandbox: z.enum(['build', 'push']) }),
]);
export type Subject = z.infer<typeof SubjectSchema>;

/**
 * What a subject has used, as counters that only grow: what comes twice, late or out of order counts once.
 * @see OpenTelemetry, metrics data model "Temporality": cumulative, since a start time
 */
const SubjectUsageSchema = z.strictObject({
  subject: SubjectSchema,
  startedAt: Time,
  /** when `memoryByteSeconds` was 0: when it began, or when this agent found it */
  since: Time,
  at: Time,
  /** since it began */
  cpuSeconds: z.number().min(0),
  /** at `since`; null: nobody looked before it ended */
  firstMemoryBytes: z.number().min(0).nullable(),
  /** at `at`; of one that ended unseen: the most it ever had */
  memoryBytes: z.number().min(0),
  memoryByteSeconds: z.number().min(0),
});
export type SubjectUsage = z.infer<typeof SubjectUsageSchema>;

/** What agents ask of the API. */
export const API_CALLS = {
  /** joins, and says that it lives; to be repeated */
  announceNode: call(
    z.strictObject({
      /** unique among nodes, and the same after a restart */
      name: z.string(),
      /** where the agent answers: `unix:<path>` */
      endpoint: z.string(),
      cpus: z.number(),
      memoryBytes: z.int(),
      networkRange: NetworkRangeSchema,
      /** another one when all that ran there has ended, with the machine or the platform */
      life: z.string().min(1),
    }),
    z.strictObject({ nodeId }),
  ),
  /** what should be on the node; what it has besides is to be removed */
  desiredContainers: call(
    z.strictObject({ nodeId }),
    z.strictObject({ containers: z.array(DesiredContainerSchema) }),
  ),
  /** null: there is no such container on that node */
  containerOrder: call(
    z.strictObject({ nodeId, engineId }),
    z.strictObject({ order: ContainerOrderSchema.nullable() }),
  ),
  reportContainer: call(
    z.strictObject({ nodeId, engineId, observation: ObservationSchema }),
    Nothing,
  ),
  /** of runs and builds that are not on that node nothing is noted */
  reportUsage: call(z.strictObject({ nodeId, usage: z.array(SubjectUsageSchema) }), Nothing),
} as const;

const buildAttempt = { nodeId, buildId, attempt };

/** What agents ask of the API to build images. A build's context is no JSON: `GET /builds/<id>/context`. */
export const BUILD_CALLS = {
  /** none of this node's builds is under way: its agent has just begun */
  releaseBuilds: call(z.strictObject({ nodeId }), Nothing),
  /** the one whose turn it is; null: none waits. To keep it, report within `BUILD_LEASE_MS`, again and again */
  takeBuild: call(
    z.strictObject({ nodeId }),
    z.strictObject({ order: BuildOrderSchema.nullable() }),
  ),
  reportBuild: call(
    z.strictObject({
      ...buildAttempt,
      /** all of them, when one has changed */
      steps: z.array(BuildStepSchema).optional(),
      /** counts the pieces before these: one sent twice is kept once */
      outputFrom: z.int().min(0),
      output: z.array(BuildOutputSchema),
    }),
    /** false: it is to be given up, since it was cancelled or somebody else has it */
    z.strictObject({ goesOn: z.boolean() }),
  ),
  /** null: it is to be given up */
  grantPush: call(
    z.strictObject(buildAttempt),
    /** lets one push to the order's `repository`, and take what its images share from others */
    z.strictObject({ token: z.string().nullable() }),
  ),
  endBuild: call(z.strictObject({ ...buildAttempt, end: BuildEndSchema }), Nothing),
} as const;

/** What the agent asks of its node's log process. */
export const LOG_CALLS = {
  /** makes the FIFOs of a run and reads them; done twice it answers the same */
  openLog: call(
    z.strictObject({ engineId }),
    z.strictObject({ stdout: z.string(), stderr: z.string() }),
  ),
  /** answers once all that the run wrote is in its file, or after `timeoutMs` */
  closeLog: call(z.strictObject({ engineId, timeoutMs: z.int() }), Nothing),
  /** with its files */
  removeLog: call(z.strictObject({ engineId }), Nothing),
} as const;

/** What edges ask of agents: no API is needed to reach a container. */
export const AGENT_CALLS = {
  /** null: it does not run (any more) */
  containerAddress: call(
    z.strictObject({ engineId }),
    z.strictObject({ address: z.ipv4().nullable() }),
  ),
} as const;

/** What the API asks of agents that cannot wait in a queue. */
export const CONTAINER_CALLS = {
  /** false: that run has no program (any more) */
  signalContainer: call(
    z.strictObject({ engineId, generation, signal: z.int().min(1).max(64) }),
    z.strictObject({ isSent: z.boolean() }),
  ),
} as const;

/** How often an agent announces its node. */
export const ANNOUNCE_EVERY_MS = 5_000;
