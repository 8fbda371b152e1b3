import { Controller, Inject } from '@nestjs/common';
import { DEPLOY_STATES } from '@slipway/lifecycle';
import { z } from 'zod';
import { PageQuery, pageOf, waitQuery } from '../http/query.ts';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { whileConnected } from '../http/while-connected.ts';
import { Deploy, DeployFailure, DeployList, DeployPhase } from './deploy.schema.ts';
import { DeployService } from './deploy.service.ts';
import type { DeployRow } from './deploy.store.ts';

const AT = '/v1/organizations/:organization/projects/:project/services/:service/deploys';
const tag = 'Services';
const access = { project: 'services:read' } as const;
const service = {
  ...{ organization: z.string(), project: z.string() },
  service: z.string().describe('Identifier or name'),
};
const OfService = z.object(service);
const OfDeploy = z.object({ ...service, deploy: z.string() });

const listDeploys = defineRoute({
  ...{ method: 'GET', path: AT, operationId: 'listDeploys', tag, access },
  summary: 'The deploys of a service, the newest first',
  params: OfService,
  query: PageQuery,
  responses: { 200: DeployList },
});

const getDeploy = defineRoute({
  ...{ method: 'GET', path: `${AT}/:deploy`, operationId: 'getDeploy', tag, access },
  ...{ summary: 'One deploy', params: OfDeploy, responses: { 200: Deploy } },
});

const waitForDeploy = defineRoute({
  ...{ method: 'GET', path: `${AT}/:deploy/wait`, operationId: 'waitForDeploy', tag, access },
  summary: 'Wait until a deploy is over, or in a state',
  description: 'Answers with the deploy as it is then, also when the time is up before that.',
  params: OfDeploy,
  query: waitQuery(DEPLOY_STATES),
  responses: { 200: Deploy },
});

@Controller()
export class DeployController {
  constructor(@Inject(DeployService) private readonly deploys: DeployService) {}

  @Route(listDeploys)
  async list(
    @RouteInput() { scope, params, query }: Input<typeof listDeploys>,
  ): Promise<Output<typeof listDeploys>> {
    const { limit, cursor } = query;
    const page = { limit: limit + 1, before: cursor ?? null };
    return pageOf(await this.deploys.list(scope, params.service, page), limit, resourceOf);
  }

  @Route(getDeploy)
  async get(
    @RouteInput() { scope, params }: Input<typeof getDeploy>,
  ): Promise<Output<typeof getDeploy>> {
    return resourceOf(await this.deploys.get(scope, params));
  }

  @Route(waitForDeploy)
  async wait(
    @RouteInput() { scope, params, query, reply }: Input<typeof waitForDeploy>,
  ): Promise<Output<typeof waitForDeploy>> {
    const signal = whileConnected(reply, query.timeoutMs);
    return resourceOf(await this.deploys.wait(scope, params, query.state, signal));
  }
}

function resourceOf(row: DeployRow): z.input<typeof Deploy> {
  const { id, serviceId, revisionId, revision, state, reason, message } = row;
  return {
    ...{ id, service: serviceId, revision: revisionId, imageDigest: revision.imageDigest },
    ...{ state, reason, message, phases: DeployPhase.array().parse(row.phases) },
    failure: DeployFailure.nullable().parse(row.failure),
    container: row.containers[0]?.id ?? null,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}
