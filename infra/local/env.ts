import { parseEnv } from '@slipway/process';
import { z } from 'zod';

/** What a person may set before `npm start` and `npm test`; `.env.example` is generated from it. */
export const EnvSchema = z.object({
  PACKAGES_DIR: z
    .string()
    .optional()
    .describe('Where Debian packages are unpacked; .slipway/packages when left out'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgresql://')
    .optional()
    .describe('A PostgreSQL of yours, with a database for Slipway; a private one when left out'),
  SIGN_UP: z
    .enum(['open', 'invite', 'closed'])
    .default('open')
    .describe('Who may make an account: anybody, who is invited to an organization, or nobody'),
});

/** What every process has, and children get from the caller as it is. */
const InheritedSchema = z.object({
  PATH: z.string().default('/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'),
  HOME: z.string().optional(),
  LANG: z.string().optional(),
  TZ: z.string().optional(),
  TMPDIR: z.string().optional(),
  // where Node keeps compiled code: a start is a second shorter
  NODE_COMPILE_CACHE: z.string().optional(),
  NODE_COMPILE_CACHE_PORTABLE: z.string().optional(),
});

const schema = EnvSchema.extend(InheritedSchema.shape);
export type Env = z.infer<typeof schema>;

/** @throws Error naming each wrong variable */
export function readEnv(source: NodeJS.ProcessEnv = process.env): Env {
  return parseEnv(schema, source, 'The environment');
}

/** The few variables that children get from the caller's environment; all else is said by name. */
export function inheritedEnv(env: Env): Record<string, string> {
  const found = InheritedSchema.keyof().options.map((name) => [name, env[name]]);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}
