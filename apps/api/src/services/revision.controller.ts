import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import type { Viewer } from '../access/environment.ts';
import { notFound } from '../access/not-found.ts';
import { PageQuery, pageOf } from '../http/query.ts';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { Revision, RevisionList } from './revision.schema.ts';
import { type RevisionRow, RevisionStore } from './revision.store.ts';
import { templateFor } from './service.schema.ts';
import { ServiceService } from './service.service.ts';

const AT = '/v1/organizations/:organization/projects/:project/services/:service/revisions';
const tag = 'Services';
const access = { project: 'services:read' } as const;
const service = {
  ...{ organization: z.string(), project: z.string() },
  service: z.string().describe('Identifier or name'),
};

const listRevisions = defineRoute({
  ...{ method: 'GET', path: AT, operationId: 'listRevisions', tag, access },
  summary: 'What a service was made of, the newest first',
  params: z.object(service),
  query: PageQuery,
  responses: { 200: RevisionList },
});

const getRevision = defineRoute({
  ...{ method: 'GET', path: `${AT}/:revision`, operationId: 'getRevision', tag, access },
  summary: 'One revision',
  params: z.object({ ...service, revision: z.string() }),
  responses: { 200: Revision },
});

@Controller()
export class RevisionController {
  constructor(
    @Inject(RevisionStore) private readonly revisions: RevisionStore,
    @Inject(ServiceService) private readonly services: ServiceService,
  ) {}

  @Route(listRevisions)
  async list(
    @RouteInput() input: Input<typeof listRevisions>,
  ): Promise<Output<typeof listRevisions>> {
    const { scope, params, query } = input;
    const { id } = await this.services.get(scope, params.service);
    const { limit, cursor } = query;
    const page = { limit: limit + 1, before: cursor ?? null };
    const rows = await this.revisions.list(scope, id, page);
    return pageOf(rows, limit, (row) => resourceOf(row, input));
  }

  @Route(getRevision)
  async get(@RouteInput() input: Input<typeof getRevision>): Promise<Output<typeof getRevision>> {
    const { scope, params } = input;
    const { id } = await this.services.get(scope, params.service);
    const row = await this.revisions.find(scope, id, params.revision);
    if (row !== null) return resourceOf(row, input);
    throw notFound(`revision "${params.revision}" of the service "${params.service}"`);
  }
}

function resourceOf(row: RevisionRow, viewer: Viewer): z.input<typeof Revision> {
  const { id, number, template, imageDigest, createdAt } = row;
  return {
    ...{ id, number, template: templateFor(viewer, template), imageDigest },
    createdAt: createdAt.toISOString(),
  };
}
