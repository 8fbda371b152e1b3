import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const PartsSchema = z.record(z.string(), z.enum(['up', 'down']));

/**
 * What a supervisor says of the parts that the API has no connection to. Without one: nothing; one
 * whose file cannot be read is itself the part that is down.
 */
export async function suppliedParts(file: string | null): Promise<Record<string, 'up' | 'down'>> {
  if (file === null) return {};
  try {
    return PartsSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return { supervisor: 'down' };
  }
}
