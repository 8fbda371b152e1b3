import { rmSync } from 'node:fs';
import type { Instance } from '../instance.ts';
import { printProgress } from '../progress.ts';
import { unmountBelow } from '../reaper/mounts.ts';
import { stopAndHold } from './stop.ts';

/** Stops and removes all data: images, volumes, the database, the key. */
export async function reset(instance: Instance): Promise<number> {
  const hold = await stopAndHold(instance);
  const progress = printProgress((line) => console.log(line));
  await progress.step(`removed ${instance.stateDir}`, async () => {
    await unmountBelow(instance.stateDir);
    rmSync(instance.stateDir, { recursive: true, force: true });
  });
  await hold.release();
  return 0;
}
