import type { z } from 'zod';

/**
 * Reads what a schema declares; an empty variable counts as unset.
 * @param whose for the error: `The API's environment`
 * @throws Error naming each wrong variable, never its value
 */
export function parseEnv<T extends z.ZodType>(
  schema: T,
  source: NodeJS.ProcessEnv,
  whose: string,
): z.output<T> {
  const filled = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(filled);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`${whose} is not usable: ${wrong.join('; ')}`);
}
