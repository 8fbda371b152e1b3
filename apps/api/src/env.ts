import { LOG_LEVELS, Secret } from '@slipway/log';
import { z } from 'zod';

/** `.env.example` is generated from it. */
export const EnvSchema = z.object({
  NODE_ENV: z.enum(['production', 'development', 'test']).default('production'),
  API_HOST: z.string().default('127.0.0.1').describe('Where REST listens'),
  API_PORT: z.coerce.number().int().min(0).max(65_535).default(7700).describe('0 takes a free one'),
  DATABASE_URL: z
    .string()
    .min(1)
    .transform((text) => new Secret(text))
    .describe('PostgreSQL 15 or newer; a Unix socket as postgresql://user@/database?host=/run/…'),
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

/** An empty variable counts as unset. @throws Error naming each wrong variable, never its value */
export function readEnv(source: NodeJS.ProcessEnv = process.env): Env {
  const filled = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== ''));
  const parsed = EnvSchema.safeParse(filled);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`The API's environment is not usable: ${wrong.join('; ')}`);
}
