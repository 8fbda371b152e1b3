import { Controller, Inject } from '@nestjs/common';
import { flag } from '@slipway/contracts';
import { BUILD_STATES } from '@slipway/lifecycle';
import { z } from 'zod';
import { askedBy } from '../access/asked.ts';
import type { ProjectScope } from '../access/scope.store.ts';
import { PageQuery, pageOf, waitQuery } from '../http/query.ts';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { contentTypeOf, LOG, lastEventId } from '../http/streamed.ts';
import { invalid } from '../http/validate.ts';
import { whileConnected } from '../http/while-connected.ts';
import {
  Build,
  BuildList,
  BuildLogCursor,
  type BuildSummary,
  CONTEXT_TYPES,
  NewBuild,
  NewBuildQuery,
} from './build.schema.ts';
import { BuildService } from './build.service.ts';
import { type BuildRow, stepsOf } from './build.store.ts';
import { ContextService } from './context.service.ts';
import { formatted } from './log-forms.ts';

const AT = '/v1/organizations/:organization/projects/:project/builds';
const tag = 'Builds';
const READ = { project: 'builds:read' } as const;
const WRITE = { project: 'builds:write' } as const;
const project = { organization: z.string(), project: z.string() };
const InProject = z.object(project);
const OfBuild = z.object({ ...project, build: z.string() });

const createBuild = defineRoute({
  ...{ method: 'POST', path: AT, operationId: 'createBuild', tag, access: WRITE },
  summary: 'Build an image of a Dockerfile, and push it to the registry',
  description:
    'With JSON it names an uploaded context. In one step the body is the context, and the query says the rest.',
  ...{ params: InProject, query: NewBuildQuery, body: NewBuild, upload: CONTEXT_TYPES },
  responses: { 202: Build },
});

const listBuilds = defineRoute({
  ...{ method: 'GET', path: AT, operationId: 'listBuilds', tag, access: READ },
  summary: 'The builds of a project, the newest first',
  params: InProject,
  query: PageQuery,
  responses: { 200: BuildList },
});

const getBuild = defineRoute({
  ...{ method: 'GET', path: `${AT}/:build`, operationId: 'getBuild', tag, access: READ },
  ...{ summary: 'One build', params: OfBuild, responses: { 200: Build } },
});

const cancelBuild = defineRoute({
  ...{
    method: 'POST',
    path: `${AT}/:build/cancel`,
    operationId: 'cancelBuild',
    tag,
    access: WRITE,
  },
  summary: 'Give up a build that is not over',
  ...{ params: OfBuild, responses: { 202: Build, 200: Build } },
});

const waitForBuild = defineRoute({
  ...{ method: 'GET', path: `${AT}/:build/wait`, operationId: 'waitForBuild', tag, access: READ },
  summary: 'Wait until a build is over, or in a state',
  description: 'Answers with the build as it is then, also when the time is up before that.',
  params: OfBuild,
  query: waitQuery(BUILD_STATES),
  responses: { 200: Build },
});

const getBuildLogs = defineRoute({
  ...{ method: 'GET', path: `${AT}/:build/logs`, operationId: 'getBuildLogs', tag, access: READ },
  summary: 'What a build has written',
  description:
    '`Accept: text/plain` is what it wrote; `application/x-ndjson` has `time`, `step`, `text` and `cursor` of each piece; `text/event-stream` has the same as events, the cursor as their `id`, so that a client goes on with `Last-Event-ID` when it was cut off, and an event `end` behind the last.',
  params: OfBuild,
  query: z.strictObject({
    follow: flag('And what it writes from now on, to its end'),
    after: BuildLogCursor.optional().describe(
      'Only what comes after the piece with this `cursor`: to go on where an earlier answer ended',
    ),
  }),
  responses: { 200: LOG },
});

@Controller()
export class BuildController {
  constructor(
    @Inject(BuildService) private readonly builds: BuildService,
    @Inject(ContextService) private readonly contexts: ContextService,
  ) {}

  @Route(createBuild)
  async create(
    @RouteInput() input: Input<typeof createBuild>,
  ): Promise<Output<typeof createBuild>> {
    const { scope, upload, body, query } = input;
    if (upload === null) {
      const [first] = Object.entries(query).find(([, value]) => value !== false) ?? [];
      if (first !== undefined) throw invalid(`query.${first}`, 'belongs into the JSON body');
      return this.#resource(scope, await this.builds.create(askedBy(input), body));
    }
    if (query.image === undefined) throw invalid('query.image', 'is needed: the name of the image');
    await this.builds.requireRoom(scope);
    const { id } = await this.contexts.receive(scope, upload);
    const wanted = NewBuild.parse({ ...query, context: id });
    return this.#resource(scope, await this.builds.create(askedBy(input), wanted));
  }

  @Route(listBuilds)
  async list(
    @RouteInput() { scope, query: { limit, cursor } }: Input<typeof listBuilds>,
  ): Promise<Output<typeof listBuilds>> {
    const rows = await this.builds.list(scope, { limit: limit + 1, before: cursor ?? null });
    return pageOf(rows, limit, summaryOf);
  }

  @Route(getBuild)
  async get(
    @RouteInput() { scope, params }: Input<typeof getBuild>,
  ): Promise<Output<typeof getBuild>> {
    return this.#resource(scope, await this.builds.get(scope, params.build));
  }

  @Route(cancelBuild)
  async cancel(
    @RouteInput() { scope, params, reply }: Input<typeof cancelBuild>,
  ): Promise<Output<typeof cancelBuild>> {
    const { row, isNew } = await this.builds.cancel(scope, params.build);
    reply.code(isNew ? 202 : 200);
    return this.#resource(scope, row);
  }

  @Route(waitForBuild)
  async wait(
    @RouteInput() { scope, params, query, reply }: Input<typeof waitForBuild>,
  ): Promise<Output<typeof waitForBuild>> {
    const signal = whileConnected(reply, query.timeoutMs);
    const row = await this.builds.wait(scope, params.build, query.state, signal);
    return this.#resource(scope, row);
  }

  @Route(getBuildLogs)
  async logs(
    @RouteInput() { scope, params, query, request, reply }: Input<typeof getBuildLogs>,
  ): Promise<Output<typeof getBuildLogs>> {
    await this.builds.get(scope, params.build);
    const mediaType = LOG.chosenBy(request.headers);
    reply.type(contentTypeOf(mediaType)).header('cache-control', 'no-store');
    const { follow } = query;
    const after = BigInt(lastEventId(request.headers, BuildLogCursor) ?? query.after ?? 0);
    const signal = whileConnected(reply);
    const output = this.builds.output(scope, params.build, { follow, after }, signal);
    return formatted(output, mediaType);
  }

  async #resource(scope: ProjectScope, row: BuildRow): Promise<z.input<typeof Build>> {
    const summary = { ...summaryOf(row), waitsFor: await this.builds.waitsFor(scope, row) };
    const seen = stepsOf(row);
    if (seen.length === 0) return { ...summary, steps: [] };
    const output = await this.builds.outputOfSteps(scope, row);
    const steps = seen.map((step) => ({ ...step, output: output.get(step.number) ?? '' }));
    return { ...summary, steps };
  }
}

function summaryOf(row: BuildRow): z.input<typeof BuildSummary> {
  const { id, image, contextId, dockerfile, target, noCache, state, reason, message, digest } = row;
  return {
    ...{ id, image, tag: row.tag, context: contextId, dockerfile, target, noCache },
    labels: z.record(z.string(), z.string()).parse(row.labels),
    ...{ state, reason, message, digest },
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}
