import { Controller, Inject } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import { z } from 'zod';
import { PageQuery, pageOf } from '../http/query.ts';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { NewProject, Project, ProjectList } from './project.schema.ts';
import { type ProjectRow, ProjectStore } from './project.store.ts';

const AT = '/v1/organizations/:organization/projects';
const tag = 'Projects';
const InOrganization = z.object({ organization: z.string() });

const createProject = defineRoute({
  ...{ method: 'POST', path: AT, operationId: 'createProject', tag },
  access: { organization: 'projects:write' },
  summary: 'Make a project: containers, services, networks and images of its own',
  ...{ params: InOrganization, body: NewProject, responses: { 201: Project } },
});

const listProjects = defineRoute({
  ...{ method: 'GET', path: AT, operationId: 'listProjects', tag },
  access: { organization: 'projects:read' },
  summary: 'The projects of an organization, the oldest first',
  ...{ params: InOrganization, query: PageQuery, responses: { 200: ProjectList } },
});

const getProject = defineRoute({
  ...{ method: 'GET', path: `${AT}/:project`, operationId: 'getProject', tag },
  access: { project: 'projects:read' },
  summary: 'One project',
  params: z.object({ organization: z.string(), project: z.string() }),
  responses: { 200: Project },
});

@Controller()
export class ProjectController {
  constructor(@Inject(ProjectStore) private readonly projects: ProjectStore) {}

  @Route(createProject)
  async create(
    @RouteInput() { scope, body: { slug, name = slug } }: Input<typeof createProject>,
  ): Promise<Output<typeof createProject>> {
    const row = await this.projects.create(scope, { slug, name });
    if (row !== null) return resourceOf(row);
    throw new AppError('already-exists', `The organization has a project "${slug}" already.`);
  }

  @Route(listProjects)
  async list(
    @RouteInput() { scope, query: { limit, cursor } }: Input<typeof listProjects>,
  ): Promise<Output<typeof listProjects>> {
    const rows = await this.projects.list(scope, { limit: limit + 1, after: cursor ?? '' });
    return pageOf(rows, limit, resourceOf);
  }

  @Route(getProject)
  async get(@RouteInput() { scope }: Input<typeof getProject>): Promise<Output<typeof getProject>> {
    return resourceOf(await this.projects.get(scope));
  }
}

function resourceOf({
  id,
  organization,
  slug,
  name,
  createdAt,
}: ProjectRow): z.input<typeof Project> {
  return { id, organization: organization.slug, slug, name, createdAt: createdAt.toISOString() };
}
