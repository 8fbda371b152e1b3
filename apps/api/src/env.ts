import { LOG_LEVELS, Secret } from '@slipway/log';
import { parseEnv } from '@slipway/process';
import { z } from 'zod';
import { Limits } from './quotas/quota.schema.ts';
import { ROLES } from './roles/role.ts';

const port = (usual: number) =>
  z.coerce.number().int().min(0).max(65_535).default(usual).describe('0 takes a free one');

const RolesSchema = z.object({
  ROLES: z
    .string()
    .default(ROLES.join(','))
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(ROLES)))
    .describe(
      'What this process does: api (REST and agents), registry; both, or one in each of two',
    ),
});

/** @param name of Limits */
const quota = (name: keyof Limits) =>
  z.coerce
    .number()
    .pipe(Limits.shape[name].unwrap())
    .optional()
    .describe(
      `What each organization may have of \`${name}\`, unless its quotas say: docs/quotas.md`,
    );

const SharedSchema = z.object({
  NODE_ENV: z.enum(['production', 'development', 'test']).default('production'),
  DATABASE_URL: z
    .string()
    .min(1)
    .transform((text) => new Secret(text))
    .describe('PostgreSQL 15 or newer; a Unix socket as postgresql://user@/database?host=/run/…'),
  BLOBS_DIR: z.string().min(1).describe('The folder of image layers and other blobs'),
  SECRET_KEY: z
    .string()
    .min(32)
    .transform((text) => new Secret(text))
    .describe(
      '32 or more random characters that sign short-lived tokens; the same for all replicas',
    ),
  OPERATOR_TOKEN: z
    .string()
    .regex(/^slp_[\w-]{32,}$/, 'must be slp_ and 32 or more random characters')
    .transform((text) => new Secret(text))
    .optional()
    .describe("The operator's API key: made at boot, with its organization and project"),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  QUOTA_CONTAINERS: quota('containers'),
  QUOTA_CPUS: quota('cpus'),
  QUOTA_MEMORY_BYTES: quota('memoryBytes'),
  QUOTA_CONCURRENT_BUILDS: quota('concurrentBuilds'),
  QUOTA_QUEUED_BUILDS: quota('queuedBuilds'),
  QUOTA_IMAGE_BYTES: quota('imageBytes'),
});

const origin = z
  .url({ protocol: /^https?$/, error: 'must be http:// or https:// and a host name' })
  .transform((text) => new URL(text))
  .refine(({ pathname, search }) => `${pathname}${search}` === '/', 'may have no path');

const ApiVariables = z.object({
  API_HOST: z.string().default('127.0.0.1').describe('Where REST listens'),
  API_PORT: port(7700),
  REDIS_URL: z.string().min(1).describe('Of the role api: redis://…, or the path of a Unix socket'),
  AGENT_SOCKET: z
    .string()
    .regex(/^\/./, 'must be the absolute path of a Unix socket')
    .describe('Of the role api: where it listens for the agents of nodes'),
  API_URL: origin
    .prefault('http://127.0.0.1:7700')
    .describe('Where people reach REST and console, and may sign in; apart from SERVICES_URL'),
  SERVICES_URL: origin
    .prefault('http://localhost:7780')
    .describe('Where services are reached: each at http://<its label>.<this domain>'),
  SIGN_UP: z
    .enum(['open', 'invite', 'closed'])
    .default('closed')
    .describe('Who may make an account: anybody, who is invited to an organization, or nobody'),
  PARTS_FILE: z
    .string()
    .optional()
    .describe('JSON {"<part>": "up" | "down"} that a supervisor keeps, for /v1/health'),
});

const ApiSchema = ApiVariables.refine(
  ({ API_URL, SERVICES_URL }) =>
    !isWithin(API_URL.hostname, SERVICES_URL.hostname) &&
    !isWithin(SERVICES_URL.hostname, API_URL.hostname),
  {
    path: ['API_URL'],
    error: 'must be of a host name apart from the domain of SERVICES_URL: tenants have names there',
  },
);

function isWithin(name: string, domain: string): boolean {
  return `.${name}`.endsWith(`.${domain}`);
}

const RegistrySchema = z.object({
  REGISTRY_HOST: z.string().default('127.0.0.1').describe('Where the image registry listens'),
  REGISTRY_PORT: port(7750),
});

/** @public `.env.example` is generated from it */
export const EnvSchema = z.object({
  ...RolesSchema.shape,
  ...SharedSchema.shape,
  ...ApiVariables.shape,
  ...RegistrySchema.shape,
});

export type SharedEnv = z.infer<typeof SharedSchema>;
export type ApiEnv = z.infer<typeof ApiSchema>;
export type RegistryEnv = z.infer<typeof RegistrySchema>;

/** null: a role that the process does not have */
export interface Env {
  shared: SharedEnv;
  api: ApiEnv | null;
  registry: RegistryEnv | null;
}

/** @throws Error naming each wrong variable of its roles, never its value */
export function readEnv(source: NodeJS.ProcessEnv = process.env): Env {
  const parsed = <T extends z.ZodType>(schema: T) =>
    parseEnv(schema, source, "The API's environment");
  const roles = new Set(parsed(RolesSchema).ROLES);
  const api = roles.has('api') ? ApiSchema : null;
  const registry = roles.has('registry') ? RegistrySchema : null;
  // together first, so that all that is wrong is said at once
  parsed(z.object({ ...SharedSchema.shape, ...api?.shape, ...registry?.shape }));
  return {
    shared: parsed(SharedSchema),
    api: api && parsed(api),
    registry: registry && parsed(registry),
  };
}
