import { LOG_LEVELS, Secret } from '@slipway/log';
import { parseEnv } from '@slipway/process';
import { z } from 'zod';

const port = (usual: number) =>
  z.coerce.number().int().min(0).max(65_535).default(usual).describe('0 takes a free one');

/** `.env.example` is generated from it. */
export const EnvSchema = z.object({
  NODE_ENV: z.enum(['production', 'development', 'test']).default('production'),
  API_HOST: z.string().default('127.0.0.1').describe('Where REST listens'),
  API_PORT: port(7700),
  DATABASE_URL: z
    .string()
    .min(1)
    .transform((text) => new Secret(text))
    .describe('PostgreSQL 15 or newer; a Unix socket as postgresql://user@/database?host=/run/…'),
  REDIS_URL: z.string().min(1).describe('redis://…, or the path of a Unix socket'),
  AGENT_SOCKET: z
    .string()
    .regex(/^\/./, 'must be the absolute path of a Unix socket')
    .describe('Where the API listens for the agents of nodes'),
  REGISTRY_HOST: z.string().default('127.0.0.1').describe('Where the image registry listens'),
  REGISTRY_PORT: port(7750),
  BLOBS_DIR: z.string().min(1).describe('The folder of image layers and other blobs'),
  SERVICES_URL: z
    .url({ protocol: /^https?$/, error: 'must be http:// or https:// and a domain' })
    .transform((text) => new URL(text))
    .refine(({ pathname, search }) => `${pathname}${search}` === '/', 'may have no path')
    .prefault('http://localhost:7780')
    .describe('Where services are reached: each at http://<its label>.<this domain>'),
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
  PARTS_FILE: z
    .string()
    .optional()
    .describe('JSON {"<part>": "up" | "down"} that a supervisor keeps, for /v1/health'),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
});

export type Env = z.infer<typeof EnvSchema>;

/** @throws Error naming each wrong variable, never its value */
export function readEnv(source: NodeJS.ProcessEnv = process.env): Env {
  return parseEnv(EnvSchema, source, "The API's environment");
}
