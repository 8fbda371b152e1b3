import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import { SESSION_COOKIE } from '../access/session-cookie.ts';
import { declaredRoutes, permissionOf, type RouteContract } from '../http/route.ts';
import { Streamed } from '../http/streamed.ts';
import { Problem } from './problem.schema.ts';
// Every controller, and with it every contract.
import '../app.module.ts';

export type OpenApiDocument = ReturnType<typeof createDocument>;

const DESCRIPTION = `Slipway runs containers that sleep when idle.

Errors are RFC 9457 problems (\`application/problem+json\`) with a stable \`code\`. Enumerations are
open: a client meets a value that it does not know and goes on.`;

/** The OpenAPI 3.1 document of all routes, made of the schemas that validate. */
export function buildOpenApiDocument(): OpenApiDocument {
  const routes = declaredRoutes().toSorted((a, b) => (a.path < b.path ? -1 : 1));
  requireUniqueIds(routes);
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'Slipway',
      version: '1',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map((route) => route.tag))].toSorted().map((name) => ({ name })),
    security: [{ [API_KEY]: [] }, { [SESSION]: [] }],
    paths,
    components: {
      securitySchemes: {
        [API_KEY]: { type: 'http', scheme: 'bearer', description: 'An API key, slp_…' },
        [SESSION]: {
          ...{ type: 'apiKey', in: 'cookie', name: SESSION_COOKIE },
          description: 'Of who signed in; behind TLS its name begins with __Host-',
        },
      },
      schemas: { Problem },
      responses: { Problem: problem('What went wrong.') },
    },
  });
}

const API_KEY = 'apiKey';
const SESSION = 'session';

function operation(route: RouteContract): ZodOpenApiOperationObject {
  return {
    operationId: route.operationId,
    summary: route.summary,
    ...descriptionOf(route),
    tags: [route.tag],
    ...(route.access === 'public' ? { security: [] } : {}),
    requestParams: {
      ...pathParameters(route),
      ...(route.query instanceof z.ZodObject ? { query: route.query } : {}),
    },
    ...requestBody(route),
    responses: responses(route),
  };
}

function descriptionOf({ description, access }: RouteContract): { description?: string } {
  const needed = neededFor(access);
  const text = [description, needed].filter((part) => part !== undefined).join('\n\n');
  return text === '' ? {} : { description: text };
}

function neededFor(access: RouteContract['access']): string | undefined {
  if (access === 'public' || access === 'caller') return undefined;
  if (access === 'operator' || 'operator' in access) return 'For the operator.';
  return `Needs \`${permissionOf(access)}\`.`;
}

function pathParameters(route: RouteContract): { path?: z.ZodObject } {
  const names = [...route.path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '');
  if (names.length === 0) return {};
  const declared = route.params instanceof z.ZodObject ? route.params.shape : {};
  const shape = Object.fromEntries(names.map((name) => [name, declared[name] ?? z.string()]));
  return { path: z.object(shape) };
}

function requestBody({
  method,
  body,
  upload,
}: RouteContract): Pick<ZodOpenApiOperationObject, 'requestBody'> {
  if (body === undefined && upload === undefined) return {};
  const required = !body?.safeParse({}).success;
  const types = [
    'application/json',
    ...(method === 'PATCH' ? ['application/merge-patch+json'] : []),
  ];
  const json =
    body === undefined ? {} : Object.fromEntries(types.map((type) => [type, { schema: body }]));
  const bytes = { schema: { type: 'string' as const, format: 'binary' } };
  const files = Object.fromEntries((upload ?? []).map((mediaType) => [mediaType, bytes]));
  return { requestBody: { required, content: { ...json, ...files } } };
}

function responses(route: RouteContract): ZodOpenApiResponsesObject {
  const all: ZodOpenApiResponsesObject = {};
  for (const [status, schema] of Object.entries(route.responses)) {
    all[status as `2${string}`] = {
      description: schema === null ? 'Done.' : 'The result.',
      ...(schema === null ? {} : { content: contentOf(schema) }),
    };
  }
  all.default = { $ref: '#/components/responses/Problem' };
  return all;
}

function contentOf(schema: z.ZodType | Streamed) {
  if (!(schema instanceof Streamed)) return { 'application/json': { schema } };
  const text = { schema: { type: 'string' as const } };
  return Object.fromEntries(schema.mediaTypes.map((mediaType) => [mediaType, text]));
}

function problem(description: string) {
  return { description, content: { 'application/problem+json': { schema: Problem } } };
}

function requireUniqueIds(routes: readonly RouteContract[]): void {
  const seen = new Set<string>();
  for (const { operationId, path } of routes) {
    if (seen.has(operationId)) throw new Error(`the operationId ${operationId} is taken (${path})`);
    seen.add(operationId);
  }
}

/** As `libs/client/openapi.json` keeps it. */
export function openApiText(): string {
  return `${JSON.stringify(buildOpenApiDocument(), null, 2)}\n`;
}
