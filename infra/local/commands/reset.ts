import { rmSync } from 'node:fs';
import { terminal } from '../bootstrap/terminal.mjs';
import { readEnv } from '../env.ts';
import type { Instance } from '../instance.ts';
import { printProgress } from '../progress.ts';
import { stopAndHold } from './stop.ts';

/** Stops and removes all data: images, volumes, the database, the key. */
export async function reset(instance: Instance): Promise<number> {
  const hold = await stopAndHold(instance);
  const progress = printProgress(terminal);
  await progress.step(`removed ${instance.stateDir}`, async () => {
    rmSync(instance.stateDir, { recursive: true, force: true });
  });
  if (readEnv().DATABASE_URL !== undefined) {
    progress.line('The database of DATABASE_URL is as it was: the next start needs an empty one.');
  }
  await hold.release();
  return 0;
}
