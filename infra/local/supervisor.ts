import { join } from 'node:path';
import { readEnv } from './env.ts';
import { takeHold } from './hold.ts';
import { instanceOf } from './instance.ts';
import { rotateLogs } from './log-rotation.ts';
import type { SupervisorMessage } from './messages.ts';
import { Platform } from './platform.ts';
import { printProgress } from './progress.ts';

/*
 * The process that keeps an instance running. `npm start` (main.ts) starts it and prints what it
 * tells over the IPC channel; SIGTERM stops the instance. In the foreground the end of that channel
 * does too: a terminal that is gone takes its platform with it.
 */

const HOUSEKEEPING_EVERY_MS = 5_000;

const isDetached = process.argv.includes('--detach');
const instance = instanceOf(join(import.meta.dirname, '../..'));
let isReady = false;
let ending: Promise<void> | null = null;

if ((await takeHold(instance)) === null) {
  await tell({ type: 'taken' });
  process.exit(0);
}
await tell({ type: 'held' });
const progress = printProgress({
  line(text) {
    console.log(text); // the supervisor's own log
    void tell({ type: 'line', text });
  },
  begun: (text) => void tell({ type: 'begun', text }),
});
const platform = new Platform(instance, readEnv(), progress);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => end(0));
process.on('disconnect', () => {
  if (!isReady || !isDetached) end(0);
});
process.on('uncaughtException', (error) => {
  console.error(error);
  end(1);
});
setInterval(keepHouse, HOUSEKEEPING_EVERY_MS).unref();
try {
  await platform.start();
  isReady = true;
  await tell({ type: 'ready' });
} catch (error) {
  if (ending === null) {
    console.error(error);
    await tell({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
  end(1);
}

function keepHouse(): void {
  try {
    if (platform.isOrphan) {
      progress.line(`${instance.checkout} was moved or deleted: this platform ends`);
      end(1);
    } else rotateLogs(join(instance.stateDir, 'logs'));
  } catch (error) {
    console.error(error); // as of a full disk
  }
}

function end(code: number): void {
  ending ??= platform.stop().then(
    () => process.exit(code),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}

/** Resolves when it is on its way, or nobody listens. */
function tell(message: SupervisorMessage): Promise<void> {
  return new Promise((told) => {
    if (!process.connected) return told();
    process.send?.(message, undefined, undefined, () => told());
  });
}
