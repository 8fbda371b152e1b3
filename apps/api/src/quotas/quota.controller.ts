import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import type { OrganizationScope, ProjectScope } from '../access/scope.store.ts';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { LimitsPatch, Quotas } from './quota.schema.ts';
import { QuotaStore } from './quota.store.ts';

const ORGANIZATION = '/v1/organizations/:organization/quotas';
const PROJECT = '/v1/organizations/:organization/projects/:project/quotas';
const ofOrganization = { tag: 'Organizations', params: z.object({ organization: z.string() }) };
const ofProject = {
  ...{ tag: 'Projects', params: z.object({ organization: z.string(), project: z.string() }) },
};
const responses = { 200: Quotas };

const getOrganizationQuotas = defineRoute({
  ...{ method: 'GET', path: ORGANIZATION, operationId: 'getOrganizationQuotas' },
  access: { organization: 'quotas:read' },
  summary: 'What an organization may have in all of its projects together, and what it has',
  ...{ ...ofOrganization, responses },
});

const changeOrganizationQuotas = defineRoute({
  ...{ method: 'PATCH', path: ORGANIZATION, operationId: 'changeOrganizationQuotas' },
  access: { operator: 'organization' },
  summary: 'Let an organization have more or less; null: as much as organizations usually may',
  ...{ ...ofOrganization, body: LimitsPatch, responses },
});

const getProjectQuotas = defineRoute({
  ...{ method: 'GET', path: PROJECT, operationId: 'getProjectQuotas' },
  access: { project: 'quotas:read' },
  summary: 'What a project may have of what its organization may, and what it has',
  ...{ ...ofProject, responses },
});

const changeProjectQuotas = defineRoute({
  ...{ method: 'PATCH', path: PROJECT, operationId: 'changeProjectQuotas' },
  access: { project: 'quotas:write' },
  summary: 'Let a project have more or less; null: as much as its organization may',
  ...{ ...ofProject, body: LimitsPatch, responses },
});

@Controller()
export class QuotaController {
  constructor(@Inject(QuotaStore) private readonly quotas: QuotaStore) {}

  @Route(getOrganizationQuotas)
  ofOrganization(
    @RouteInput() { scope }: Input<typeof getOrganizationQuotas>,
  ): Promise<Output<typeof getOrganizationQuotas>> {
    return this.quotas.get(scope);
  }

  @Route(changeOrganizationQuotas)
  changeOrganizations(
    @RouteInput() { scope, body }: Input<typeof changeOrganizationQuotas>,
  ): Promise<Output<typeof changeOrganizationQuotas>> {
    return this.#change(scope, body);
  }

  @Route(getProjectQuotas)
  ofProject(
    @RouteInput() { scope }: Input<typeof getProjectQuotas>,
  ): Promise<Output<typeof getProjectQuotas>> {
    return this.quotas.get(scope);
  }

  @Route(changeProjectQuotas)
  changeProjects(
    @RouteInput() { scope, body }: Input<typeof changeProjectQuotas>,
  ): Promise<Output<typeof changeProjectQuotas>> {
    return this.#change(scope, body);
  }

  async #change(scope: OrganizationScope | ProjectScope, patch: LimitsPatch): Promise<Quotas> {
    await this.quotas.change(scope, patch);
    return this.quotas.get(scope);
  }
}
