import { terminal } from '../bootstrap/terminal.mjs';
import { readEnv } from '../env.ts';
import { type Hold, takeHold } from '../hold.ts';
import type { Instance } from '../instance.ts';
import { knownTools } from '../packages/index.ts';
import { printProgress } from '../progress.ts';
import { reapOwn } from '../reaper/reaper.ts';
import { liveProcesses } from '../records.ts';
import { waitFor } from '../wait.ts';

const STOPPED_WITHIN_MS = 180_000;

/** Ends everything of this instance and keeps its data; when nothing runs it says so. */
export async function stop(instance: Instance): Promise<number> {
  const hold = await stopAndHold(instance);
  await hold.release();
  return 0;
}

/** The instance is down and stays so while the caller has the hold. */
export async function stopAndHold(instance: Instance): Promise<Hold> {
  const progress = printProgress(terminal);
  const tools = knownTools(instance, readEnv());
  const free = await takeHold(instance);
  if (free === null) {
    const hold = await progress.step('stopped Slipway', () => endSupervisor(instance));
    await reapOwn(instance, tools); // it may have been killed meanwhile
    return hold;
  }
  const found = await reapOwn(instance, tools);
  const what = found.length === 0 ? 'Nothing was running.' : `✔ cleared ${found.join(', ')}`;
  progress.line(what);
  return free;
}

/** Its hold is free when it has ended. */
function endSupervisor(instance: Instance): Promise<Hold> {
  let told: number | null = null;
  return waitFor(
    'the end of the supervisor',
    () => {
      const supervisor = liveProcesses(instance).find(({ name }) => name === 'supervisor');
      if (supervisor !== undefined && supervisor.pid !== told) {
        told = supervisor.pid;
        process.kill(told, 'SIGTERM');
      }
      return takeHold(instance);
    },
    { timeoutMs: STOPPED_WITHIN_MS, everyMs: 20 },
  );
}
