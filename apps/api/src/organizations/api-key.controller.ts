import { Controller, Inject } from '@nestjs/common';
import { z } from 'zod';
import { notFound } from '../access/not-found.ts';
import { PageQuery, pageOf } from '../http/query.ts';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { ApiKey, ApiKeyList, IssuedApiKey, NewApiKey } from './api-key.schema.ts';
import { type ApiKeyRow, ApiKeyStore } from './api-key.store.ts';

const AT = '/v1/organizations/:organization/api-keys';
const tag = 'API keys';
const READ = { organization: 'api-keys:read' } as const;
const WRITE = { organization: 'api-keys:write' } as const;
const OfOrganization = z.object({ organization: z.string() });
const OfKey = z.object({ organization: z.string(), key: z.string().describe('Its identifier') });

const createApiKey = defineRoute({
  ...{ method: 'POST', path: AT, operationId: 'createApiKey', tag, access: WRITE },
  summary: 'Make an API key',
  description:
    'With a role, or with permissions (docs/roles.md) as its scopes; it may never do more than who makes it, and ends when they leave.',
  ...{ params: OfOrganization, body: NewApiKey, responses: { 201: IssuedApiKey } },
});

const listApiKeys = defineRoute({
  ...{ method: 'GET', path: AT, operationId: 'listApiKeys', tag, access: READ },
  summary: 'The API keys of an organization that are not revoked, the oldest first',
  ...{ params: OfOrganization, query: PageQuery, responses: { 200: ApiKeyList } },
});

const getApiKey = defineRoute({
  ...{ method: 'GET', path: `${AT}/:key`, operationId: 'getApiKey', tag, access: READ },
  ...{ summary: 'One API key', params: OfKey, responses: { 200: ApiKey } },
});

const revokeApiKey = defineRoute({
  ...{ method: 'DELETE', path: `${AT}/:key`, operationId: 'revokeApiKey', tag, access: WRITE },
  summary: 'Revoke an API key, and those that were made with it',
  description: 'One of somebody else needs `members:write` too.',
  ...{ params: OfKey, responses: { 204: null } },
});

@Controller()
export class ApiKeyController {
  constructor(@Inject(ApiKeyStore) private readonly keys: ApiKeyStore) {}

  @Route(createApiKey)
  async create(
    @RouteInput() { scope, caller, body }: Input<typeof createApiKey>,
  ): Promise<Output<typeof createApiKey>> {
    const { row, token } = await this.keys.create(scope, caller, body);
    return { ...resourceOf(row), token };
  }

  @Route(listApiKeys)
  async list(
    @RouteInput() { scope, query: { limit, cursor } }: Input<typeof listApiKeys>,
  ): Promise<Output<typeof listApiKeys>> {
    const rows = await this.keys.list(scope, { limit: limit + 1, after: cursor ?? '' });
    return pageOf(rows, limit, resourceOf);
  }

  @Route(getApiKey)
  async get(
    @RouteInput() { scope, params: { key } }: Input<typeof getApiKey>,
  ): Promise<Output<typeof getApiKey>> {
    const row = await this.keys.get(scope, key);
    if (row === null) throw notFound(`API key ${key} of this organization`);
    return resourceOf(row);
  }

  @Route(revokeApiKey)
  async revoke(
    @RouteInput() { scope, caller, params: { key } }: Input<typeof revokeApiKey>,
  ): Promise<undefined> {
    await this.keys.revoke(scope, caller, key);
  }
}

function resourceOf(row: ApiKeyRow): z.input<typeof ApiKey> {
  const { id, name, prefix, role, scopes, project, createdBy, parentId } = row;
  return {
    ...{ id, name, prefix, role, scopes, project: project?.slug ?? null },
    ...{ createdBy, createdWith: parentId, createdAt: row.createdAt.toISOString() },
    expiresAt: row.expiresAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  };
}
