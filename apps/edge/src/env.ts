import { LOG_LEVELS } from '@slipway/log';
import { parseEnv } from '@slipway/process';
import { z } from 'zod';

/** `.env.example` is generated from it. */
export const EnvSchema = z.object({
  EDGE_HOST: z.string().default('127.0.0.1').describe('Where requests to services arrive'),
  EDGE_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(7780)
    .describe('0 takes a free one'),
  REDIS_URL: z.string().min(1).describe('redis://…, or the path of a Unix socket'),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
});

export type Env = z.infer<typeof EnvSchema>;

/** @throws Error naming each wrong variable */
export function readEnv(source: NodeJS.ProcessEnv = process.env): Env {
  return parseEnv(EnvSchema, source, "The edge's environment");
}
