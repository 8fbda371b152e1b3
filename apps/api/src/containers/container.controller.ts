import { Controller, Inject } from '@nestjs/common';
import { ContainerSpecSchema, flag, LogCursorSchema, LogQuerySchema } from '@slipway/contracts';
import { CONTAINER_STATES } from '@slipway/lifecycle';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { askedBy } from '../access/asked.ts';
import { environmentFor, type Viewer } from '../access/environment.ts';
import { oneOrSeveral, PageQuery, pageOf, timeoutMs } from '../http/query.ts';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { contentTypeOf, LOG, lastEventId } from '../http/streamed.ts';
import { whileConnected } from '../http/while-connected.ts';
import { ContainerLogs } from './container.logs.ts';
import {
  Container,
  ContainerList,
  KillContainer,
  NewContainer,
  StopContainer,
} from './container.schema.ts';
import { type Change, ContainerService } from './container.service.ts';
import { stateOf } from './container.state.ts';
import type { ContainerRow } from './container.store.ts';

const AT = '/v1/organizations/:organization/projects/:project/containers';
const tag = 'Containers';
const READ = { project: 'containers:read' } as const;
const WRITE = { project: 'containers:write' } as const;
const CONTROL = { project: 'containers:control' } as const;
const project = { organization: z.string(), project: z.string() };
const InProject = z.object(project);
const OfContainer = z.object({ ...project, container: z.string().describe('Identifier or name') });

const createContainer = defineRoute({
  ...{ method: 'POST', path: AT, operationId: 'createContainer', tag, access: WRITE },
  summary: 'Make a container of an image, and start it',
  description: 'It is in the making when this answers: wait for what becomes of it.',
  ...{ params: InProject, body: NewContainer, responses: { 202: Container } },
});

const listContainers = defineRoute({
  ...{ method: 'GET', path: AT, operationId: 'listContainers', tag, access: READ },
  summary: 'The containers of a project, the oldest first',
  params: InProject,
  query: PageQuery,
  responses: { 200: ContainerList },
});

const getContainer = defineRoute({
  ...{ method: 'GET', path: `${AT}/:container`, operationId: 'getContainer', tag, access: READ },
  ...{ summary: 'One container', params: OfContainer, responses: { 200: Container } },
});

const startContainer = defineRoute({
  ...{
    method: 'POST',
    path: `${AT}/:container/start`,
    operationId: 'startContainer',
    tag,
    access: CONTROL,
  },
  summary: 'Begin a new run of a container that rests',
  ...{ params: OfContainer, responses: { 202: Container, 200: Container } },
});

const stopContainer = defineRoute({
  ...{
    method: 'POST',
    path: `${AT}/:container/stop`,
    operationId: 'stopContainer',
    tag,
    access: CONTROL,
  },
  summary: "Ask its program to end, by the image's stop signal, and end it when its time is up",
  ...{ params: OfContainer, body: StopContainer, responses: { 202: Container, 200: Container } },
});

const restartContainer = defineRoute({
  ...{ method: 'POST', path: `${AT}/:container/restart`, tag, access: CONTROL },
  operationId: 'restartContainer',
  summary: 'Stop its program, and begin a new run',
  description: 'One that rests is started.',
  ...{ params: OfContainer, body: StopContainer, responses: { 202: Container, 200: Container } },
});

const killContainer = defineRoute({
  ...{
    method: 'POST',
    path: `${AT}/:container/kill`,
    operationId: 'killContainer',
    tag,
    access: CONTROL,
  },
  summary: 'Send a signal to its program',
  description:
    'SIGKILL stops it at once, and it stays so. What another signal leads to is up to the program: it has been sent when this answers.',
  ...{ params: OfContainer, body: KillContainer, responses: { 202: Container, 200: Container } },
});

const removeContainer = defineRoute({
  ...{
    method: 'DELETE',
    path: `${AT}/:container`,
    operationId: 'removeContainer',
    tag,
    access: WRITE,
  },
  summary: 'Remove a container that rests; its name is free at once',
  params: OfContainer,
  query: z.strictObject({
    force: flag('Also one that runs, which is ended at once'),
  }),
  responses: { 202: Container },
});

const waitForContainer = defineRoute({
  ...{
    method: 'GET',
    path: `${AT}/:container/wait`,
    operationId: 'waitForContainer',
    tag,
    access: READ,
  },
  summary: 'Wait until a container is in a state',
  description: 'Answers with the container as it is then, also when the time is up before that.',
  params: OfContainer,
  query: z.strictObject({
    state: oneOrSeveral(CONTAINER_STATES)
      .optional()
      .describe('One or several with commas; when left out: until it runs or rests')
      .meta({ examples: ['exited,failed'] }),
    generation: z.coerce
      .number()
      .int()
      .min(0)
      .default(0)
      .describe('Of this run: what an earlier one came to does not count'),
    timeoutMs,
  }),
  responses: { 200: Container },
});

const getContainerLogs = defineRoute({
  ...{
    method: 'GET',
    path: `${AT}/:container/logs`,
    operationId: 'getContainerLogs',
    tag,
    access: READ,
  },
  summary: 'What a container has written, in all its runs',
  description:
    '`Accept: text/plain` is both streams as they came; `application/x-ndjson` has `time`, `stream`, `line` and `cursor` of each line (and `partial` when it goes on in the next one, as those longer than 16 KiB do); `text/event-stream` has the same as events, the cursor as their `id`, so that a client goes on with `Last-Event-ID` when it was cut off, and an event `end` behind the last.',
  ...{ params: OfContainer, query: LogQuerySchema },
  responses: { 200: LOG },
});

@Controller()
export class ContainerController {
  constructor(
    @Inject(ContainerService) private readonly containers: ContainerService,
    @Inject(ContainerLogs) private readonly containerLogs: ContainerLogs,
  ) {}

  @Route(createContainer)
  async create(
    @RouteInput() input: Input<typeof createContainer>,
  ): Promise<Output<typeof createContainer>> {
    return resourceOf(await this.containers.create(askedBy(input), input.body), input);
  }

  @Route(listContainers)
  async list(
    @RouteInput() input: Input<typeof listContainers>,
  ): Promise<Output<typeof listContainers>> {
    const { limit, cursor } = input.query;
    const page = { limit: limit + 1, after: cursor ?? '' };
    const rows = await this.containers.list(input.scope, page);
    return pageOf(rows, limit, (row) => resourceOf(row, input));
  }

  @Route(getContainer)
  async get(@RouteInput() input: Input<typeof getContainer>): Promise<Output<typeof getContainer>> {
    return resourceOf(await this.containers.get(input.scope, input.params.container), input);
  }

  @Route(startContainer)
  async start(
    @RouteInput() input: Input<typeof startContainer>,
  ): Promise<Output<typeof startContainer>> {
    return answer(await this.containers.start(askedBy(input), input.params.container), input);
  }

  @Route(stopContainer)
  async stop(
    @RouteInput() input: Input<typeof stopContainer>,
  ): Promise<Output<typeof stopContainer>> {
    const { params, body } = input;
    return answer(await this.containers.stop(askedBy(input), params.container, body), input);
  }

  @Route(restartContainer)
  async restart(
    @RouteInput() input: Input<typeof restartContainer>,
  ): Promise<Output<typeof restartContainer>> {
    const { params, body } = input;
    return answer(await this.containers.restart(askedBy(input), params.container, body), input);
  }

  @Route(killContainer)
  async kill(
    @RouteInput() input: Input<typeof killContainer>,
  ): Promise<Output<typeof killContainer>> {
    const { params, body } = input;
    const { signal } = body;
    return answer(await this.containers.kill(askedBy(input), params.container, signal), input);
  }

  @Route(removeContainer)
  async remove(
    @RouteInput() input: Input<typeof removeContainer>,
  ): Promise<Output<typeof removeContainer>> {
    const { row } = await this.containers.remove(askedBy(input), input.params.container, {
      isForced: input.query.force,
    });
    return resourceOf(row, input);
  }

  @Route(waitForContainer)
  async wait(
    @RouteInput() input: Input<typeof waitForContainer>,
  ): Promise<Output<typeof waitForContainer>> {
    const { scope, params, query, reply } = input;
    const signal = whileConnected(reply, query.timeoutMs);
    const wanted = { states: query.state ?? [], generation: query.generation };
    return resourceOf(await this.containers.wait(scope, params.container, wanted, signal), input);
  }

  @Route(getContainerLogs)
  async logs(
    @RouteInput() { scope, params, query, request, reply }: Input<typeof getContainerLogs>,
  ): Promise<Output<typeof getContainerLogs>> {
    const row = await this.containers.get(scope, params.container);
    const format = LOG.chosenBy(request.headers);
    reply.type(contentTypeOf(format)).header('cache-control', 'no-store');
    const after = lastEventId(request.headers, LogCursorSchema) ?? query.after;
    const signal = whileConnected(reply);
    return this.containerLogs.read(row, { ...query, after }, { format, signal });
  }
}

/** 202: it is on its way there; 200: it was so already. */
function answer(
  { row, isNew }: Change,
  input: Viewer & { reply: FastifyReply },
): z.input<typeof Container> {
  input.reply.code(isNew ? 202 : 200);
  return resourceOf(row, input);
}

const HOT = ['running', 'restarting', 'stopping'];

function resourceOf(row: ContainerRow, viewer: Viewer): z.input<typeof Container> {
  const spec = ContainerSpecSchema.parse(row.spec);
  const { id, engineId, name, image, imageDigest, exitCode, reason, message } = row;
  const { restartPolicy, restartCount } = row;
  return {
    ...{ id, engineId, name, image, imageDigest },
    command: spec.command ?? null,
    entrypoint: spec.entrypoint ?? null,
    user: spec.user ?? null,
    workingDir: spec.workingDir ?? null,
    env: environmentFor(viewer, spec.env),
    ...{ memoryBytes: spec.memoryBytes, cpus: spec.cpus, pids: spec.pids },
    labels: z.record(z.string(), z.string()).parse(row.labels),
    ...{ restartPolicy, restartCount },
    state: stateOf(row),
    residency: HOT.includes(row.state) ? 'hot' : 'cold',
    ...{ exitCode, reason, message, generation: row.generation },
    service: row.serviceId,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}
