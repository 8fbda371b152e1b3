import { type FSWatcher, watch as watchFolder } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { IDLE_EVERY_MS } from '@slipway/contracts';
import { BEGIN } from './position.ts';
import { type ReadRecord, readLog } from './read-log.ts';

/** What a busy program writes is read so often at most. */
const PAUSE_MS = 20;
/** When the kernel does not tell of changes. */
const LOOK_EVERY_MS = 1_000;
/** The longest that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a log is followed by. */
export interface Following {
  /** Calls back when the log may have begun, and when nothing more will be written. @returns what ends that */
  watch(listener: (isOver: boolean) => void): () => void;
  /** the log is over then for this reader */
  until: Date | null;
  /** aborted when nobody reads any more */
  gone: AbortSignal;
}

/** As `readLog`, and what is written from now on; without records: for some seconds there were none. */
export async function* followLog(
  folder: string,
  begin = BEGIN,
  { watch, until, gone }: Following,
): AsyncGenerator<ReadRecord[]> {
  let position = begin;
  let isOver = false;
  let rung = Promise.withResolvers<void>();
  const ring = (): void => rung.resolve();
  const end = (): void => {
    isOver = true;
    ring();
  };
  const unwatch = watch((isItOver) => (isItOver ? end() : ring()));
  const timer = until === null ? undefined : setTimeout(end, msUntil(until));
  gone.addEventListener('abort', ring, { once: true });
  let watcher: FSWatcher | null = null;
  try {
    while (!gone.aborted) {
      const isLast = isOver;
      rung = Promise.withResolvers(); // from here on nothing is missed
      watcher ??= watchOf(folder, ring);
      for await (const records of readLog(folder, position)) {
        position = records.at(-1)?.end ?? position;
        yield records;
      }
      if (isLast) return;
      await delay(PAUSE_MS);
      const hasNews = await within(watcher === null ? LOOK_EVERY_MS : IDLE_EVERY_MS, rung.promise);
      if (!hasNews) yield [];
    }
  } finally {
    unwatch();
    clearTimeout(timer);
    gone.removeEventListener('abort', ring);
    watcher?.close();
  }
}

function msUntil(time: Date): number {
  return Math.min(Math.max(time.getTime() - Date.now(), 0), MAX_TIMER_MS);
}

async function within(timeoutMs: number, event: Promise<void>): Promise<boolean> {
  const timer = new AbortController();
  const late = delay(timeoutMs, false, { signal: timer.signal }).catch(() => false);
  const happened = await Promise.race([event.then(() => true), late]);
  timer.abort();
  return happened;
}

/** null: there is no such folder yet, or the kernel watches too many. */
function watchOf(folder: string, onChange: () => void): FSWatcher | null {
  try {
    return watchFolder(folder, { persistent: false }, onChange).on('error', onChange);
  } catch {
    return null;
  }
}
