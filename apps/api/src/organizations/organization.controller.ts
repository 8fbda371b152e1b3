import { Controller, Inject } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import { z } from 'zod';
import { membershipIn } from '../access/caller.ts';
import { PageQuery, pageOf } from '../http/query.ts';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import {
  NewOrganization,
  Organization,
  OrganizationList,
  OrganizationPatch,
  organizationOf,
} from './organization.schema.ts';
import { OrganizationStore } from './organization.store.ts';

const AT = '/v1/organizations';
const tag = 'Organizations';
const OfOrganization = z.object({ organization: z.string() });

const createOrganization = defineRoute({
  ...{ method: 'POST', path: AT, operationId: 'createOrganization', tag, access: 'caller' },
  summary: 'Make an organization, which one owns; with a session only',
  ...{ body: NewOrganization, responses: { 201: Organization } },
});

const listOrganizations = defineRoute({
  ...{ method: 'GET', path: AT, operationId: 'listOrganizations', tag, access: 'caller' },
  summary: 'The organizations that one is of, the oldest first',
  ...{ query: PageQuery, responses: { 200: OrganizationList } },
});

const getOrganization = defineRoute({
  ...{ method: 'GET', path: `${AT}/:organization`, operationId: 'getOrganization', tag },
  access: { organization: 'organization:read' },
  ...{ summary: 'One organization', params: OfOrganization, responses: { 200: Organization } },
});

const changeOrganization = defineRoute({
  ...{ method: 'PATCH', path: `${AT}/:organization`, operationId: 'changeOrganization', tag },
  access: { organization: 'organization:write' },
  summary: 'Give an organization another name; its slug stays',
  ...{ params: OfOrganization, body: OrganizationPatch, responses: { 200: Organization } },
});

@Controller()
export class OrganizationController {
  constructor(@Inject(OrganizationStore) private readonly organizations: OrganizationStore) {}

  @Route(createOrganization)
  async create(
    @RouteInput() { call, body: { slug, name = slug } }: Input<typeof createOrganization>,
  ): Promise<Output<typeof createOrganization>> {
    const row = await this.organizations.create(call, { slug, name });
    if (row !== null) return organizationOf(row, 'owner');
    throw new AppError('already-exists', `There is an organization "${slug}" already.`);
  }

  @Route(listOrganizations)
  async list(
    @RouteInput() { caller, query: { limit, cursor } }: Input<typeof listOrganizations>,
  ): Promise<Output<typeof listOrganizations>> {
    const rows = await this.organizations.list(caller, { limit: limit + 1, after: cursor ?? '' });
    return pageOf(rows, limit, (row) =>
      organizationOf(row, membershipIn(caller, { organizationId: row.id }).role),
    );
  }

  @Route(getOrganization)
  async get(
    @RouteInput() { scope, caller }: Input<typeof getOrganization>,
  ): Promise<Output<typeof getOrganization>> {
    const row = await this.organizations.get(scope);
    return organizationOf(row, membershipIn(caller, scope).role);
  }

  @Route(changeOrganization)
  async change(
    @RouteInput() { scope, caller, body }: Input<typeof changeOrganization>,
  ): Promise<Output<typeof changeOrganization>> {
    const row =
      body.name === undefined
        ? await this.organizations.get(scope)
        : await this.organizations.rename(scope, body.name);
    return organizationOf(row, membershipIn(caller, scope).role);
  }
}
