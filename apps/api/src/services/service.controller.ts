import { Controller, Inject } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { askedBy } from '../access/asked.ts';
import { requireEnvironment, type Viewer } from '../access/environment.ts';
import { PageQuery, pageOf } from '../http/query.ts';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { HostNames } from '../routing/host-names.ts';
import { RollBack } from './revision.schema.ts';
import { NewService, Service, ServiceList, ServicePatch, templateFor } from './service.schema.ts';
import { type Changed, ServiceService } from './service.service.ts';
import type { ServiceRow } from './service.store.ts';

const AT = '/v1/organizations/:organization/projects/:project/services';
const tag = 'Services';
const READ = { project: 'services:read' } as const;
const WRITE = { project: 'services:write' } as const;
const CONTROL = { project: 'services:control' } as const;
const project = { organization: z.string(), project: z.string() };
const InProject = z.object(project);
const OfService = z.object({ ...project, service: z.string().describe('Identifier or name') });

const createService = defineRoute({
  ...{ method: 'POST', path: AT, operationId: 'createService', tag, access: WRITE },
  summary: 'Give a container image a URL',
  description: 'Its first deploy is under way when this answers: wait for what becomes of it.',
  ...{ params: InProject, body: NewService, responses: { 202: Service } },
});

const listServices = defineRoute({
  ...{ method: 'GET', path: AT, operationId: 'listServices', tag, access: READ },
  summary: 'The services of a project, the oldest first',
  params: InProject,
  query: PageQuery,
  responses: { 200: ServiceList },
});

const getService = defineRoute({
  ...{ method: 'GET', path: `${AT}/:service`, operationId: 'getService', tag, access: READ },
  ...{ summary: 'One service', params: OfService, responses: { 200: Service } },
});

const changeService = defineRoute({
  ...{ method: 'PATCH', path: `${AT}/:service`, operationId: 'changeService', tag, access: WRITE },
  summary: 'Change what a service is made of',
  description:
    'A merge patch (RFC 7396): what it leaves out stays, null gives a default again. What comes of it is the next revision and is deployed: its instance gets requests when it is healthy, and the one before ends when it has answered its own. A deploy that is not over is superseded. An image stays the digest that it was unless it is named. Answers 200, and does nothing, when nothing is different. Without the permission `environment:read` one cannot change `env`.',
  ...{ params: OfService, body: ServicePatch, responses: { 202: Service, 200: Service } },
});

const rollBackService = defineRoute({
  ...{ method: 'POST', path: `${AT}/:service/rollback`, operationId: 'rollBackService' },
  ...{ tag, access: WRITE },
  summary: 'Deploy an earlier revision again',
  description:
    'Without a revision it is the last that served before the newest deploy. A deploy that is not over ends as rolled back.',
  ...{ params: OfService, body: RollBack, responses: { 202: Service, 200: Service } },
});

const restartService = defineRoute({
  ...{ method: 'POST', path: `${AT}/:service/restart`, operationId: 'restartService' },
  ...{ tag, access: CONTROL },
  summary: 'Replace the instances of a service by new ones',
  description:
    'A deploy of the revision that serves, or of the newest when none does: the old instances answer until the new ones are healthy. Answers 200, and does nothing, while a deploy is under way.',
  ...{ params: OfService, responses: { 202: Service, 200: Service } },
});

const deleteService = defineRoute({
  ...{ method: 'DELETE', path: `${AT}/:service`, operationId: 'deleteService', tag, access: WRITE },
  summary: 'Delete a service with its containers; its name is free at once',
  ...{ params: OfService, responses: { 202: Service } },
});

@Controller()
export class ServiceController {
  constructor(
    @Inject(ServiceService) private readonly services: ServiceService,
    @Inject(HostNames) private readonly hosts: HostNames,
  ) {}

  @Route(createService)
  async create(
    @RouteInput() input: Input<typeof createService>,
  ): Promise<Output<typeof createService>> {
    return this.#resource(await this.services.create(askedBy(input), input.body), input);
  }

  @Route(listServices)
  async list(
    @RouteInput() input: Input<typeof listServices>,
  ): Promise<Output<typeof listServices>> {
    const { limit, cursor } = input.query;
    const rows = await this.services.list(input.scope, { limit: limit + 1, after: cursor ?? '' });
    return pageOf(rows, limit, (row) => this.#resource(row, input));
  }

  @Route(getService)
  async get(@RouteInput() input: Input<typeof getService>): Promise<Output<typeof getService>> {
    return this.#resource(await this.services.get(input.scope, input.params.service), input);
  }

  @Route(changeService)
  async change(
    @RouteInput() input: Input<typeof changeService>,
  ): Promise<Output<typeof changeService>> {
    const { params, body } = input;
    if (body.template?.env !== undefined) requireEnvironment(input);
    return this.#answer(await this.services.change(askedBy(input), params.service, body), input);
  }

  @Route(rollBackService)
  async rollBack(
    @RouteInput() input: Input<typeof rollBackService>,
  ): Promise<Output<typeof rollBackService>> {
    const { params, body } = input;
    return this.#answer(await this.services.rollBack(askedBy(input), params.service, body), input);
  }

  @Route(restartService)
  async restart(
    @RouteInput() input: Input<typeof restartService>,
  ): Promise<Output<typeof restartService>> {
    return this.#answer(await this.services.restart(askedBy(input), input.params.service), input);
  }

  @Route(deleteService)
  async delete(
    @RouteInput() input: Input<typeof deleteService>,
  ): Promise<Output<typeof deleteService>> {
    return this.#resource(await this.services.delete(input.scope, input.params.service), input);
  }

  /** 202: a deploy is under way; 200: it was so already. */
  #answer(
    { row, isChanged }: Changed,
    input: Viewer & { reply: FastifyReply },
  ): z.input<typeof Service> {
    input.reply.code(isChanged ? 202 : 200);
    return this.#resource(row, input);
  }

  #resource(row: ServiceRow, viewer: Viewer): z.input<typeof Service> {
    const { id, name, label, servingDeploy, createdAt } = row;
    const [deploy] = row.deploys;
    if (deploy === undefined) throw new Error(`${id} was never deployed`);
    const { state, reason, message } = deploy;
    return {
      ...{ id, name, url: this.hosts.urlOf(label) },
      serving: row.deletedAt === null && (servingDeploy?.containers.length ?? 0) > 0,
      servingRevision: servingDeploy?.revisionId ?? null,
      template: templateFor(viewer, deploy.revision.template),
      latestDeploy: { id: deploy.id, state, reason, message },
      createdAt: createdAt.toISOString(),
    };
  }
}
