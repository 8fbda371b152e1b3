import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

/** What tells this life of the node from the next one. @param file that is gone once all that runs here has ended */
export async function lifeOf(file: string): Promise<string> {
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (known !== '') return known;
  const life = randomUUID();
  await writeFile(file, life);
  return life;
}
