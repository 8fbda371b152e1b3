import { buildOpenApiDocument } from '../openapi/document.ts';
import type { Estate } from './estate.fixture.ts';
import type { Operation } from './operations.fixture.ts';

/* What may be put into the body and the query of each operation of the OpenAPI document. */

interface Schema {
  $ref?: string;
  type?: string;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
}
interface Documented {
  parameters?: { in: string; name: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}

const document = buildOpenApiDocument();
const documented = ({ method, path }: Operation) =>
  (document.paths?.[path] as Record<string, Documented> | undefined)?.[method.toLowerCase()] ?? {};

/** Of its JSON body, if it takes one. */
export function schemaOf(operation: Operation): Schema | undefined {
  return documented(operation).requestBody?.content['application/json']?.schema;
}

/** The parameters of its query that take any text. */
export function queryOf(operation: Operation): string[] {
  return (documented(operation).parameters ?? [])
    .filter((one) => one.in === 'query' && fieldsOf(one.schema).length > 0)
    .map(({ name }) => name);
}

export interface Field {
  path: string[];
  isList: boolean;
}

/** Where a body takes any text; `NAME` is a key that a map may have. */
export function fieldsOf(given: Schema, path: string[] = [], isList = false): Field[] {
  const {
    type,
    properties = {},
    additionalProperties: others,
    items,
    anyOf = [],
    ...schema
  } = resolved(given);
  return [
    ...(type === 'string' && schema.enum === undefined ? [{ path, isList }] : []),
    ...Object.entries(properties).flatMap(([name, one]) => fieldsOf(one, [...path, name])),
    ...(typeof others === 'object' ? fieldsOf(others, [...path, 'NAME']) : []),
    ...(items === undefined ? [] : fieldsOf(items, path, true)),
    ...anyOf.flatMap((one) => fieldsOf(one, path, isList)),
  ];
}

/** What is given for what a body has to have, names each time others; and for what it may. */
let made = 0;
const SAMPLES: Record<string, (own: Estate) => unknown> = {
  name: () => `name-${++made}`,
  slug: () => `slug-${++made}`,
  email: () => `email-${++made}@example.test`,
  role: () => 'viewer',
  password: () => 'long enough to be one',
  current: () => 'what it was until now',
  token: () => 'handed out to nobody',
  image: () => 'app',
  context: ({ context }) => context,
};

/** A body that is taken. @param own what it may name */
export function bodyOf(given: Schema, own: Estate): Record<string, unknown> {
  const { properties = {}, required = [] } = resolved(given);
  const entries = Object.entries(properties).flatMap(([name, schema]) => {
    const sample = SAMPLES[name]?.(own);
    if (sample !== undefined) return [[name, sample]];
    if (!required.includes(name)) return [];
    if (resolved(schema).type === 'object') return [[name, bodyOf(schema, own)]];
    throw new Error(`say in SAMPLES what a ${name} may be`);
  });
  return Object.fromEntries(entries);
}

/** The body with another value there. */
export function withField(
  body: Record<string, unknown>,
  { path, isList }: Field,
  value: unknown,
): Record<string, unknown> {
  const [name = '', ...rest] = path;
  if (rest.length === 0) return { ...body, [name]: isList ? [value] : value };
  const inner = (body[name] ?? {}) as Record<string, unknown>;
  return { ...body, [name]: withField(inner, { path: rest, isList }, value) };
}

function resolved(schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1);
  return name === undefined ? schema : (document.components?.schemas?.[name] as Schema);
}
