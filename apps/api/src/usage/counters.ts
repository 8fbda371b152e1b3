import type { SubjectUsage } from '@slipway/contracts';

/** What a subject has used, up to the newest report of it. */
export interface Counters {
  since: Date;
  at: Date;
  cpuSeconds: number;
  /** null: nothing was reported yet */
  memoryBytes: number | null;
  memoryByteSeconds: number;
}

/** What was used from one time to another. */
interface Used {
  from: Date;
  to: Date;
  cpuSeconds: number;
  memoryByteSeconds: number;
}

/**
 * What a report says that was not known before. Where another agent has begun to count memory anew, that is
 * taken to have changed evenly from what was seen last to what was seen first. Of one that comes late only
 * CPU time can be new: whoever counts that goes on from where it was.
 */
export function newIn(told: SubjectUsage, before: Counters): { used: Used; counters: Counters } {
  const [since, at] = [new Date(told.since), new Date(told.at)];
  const cpuSeconds = Math.max(told.cpuSeconds - before.cpuSeconds, 0);
  const counted = { cpuSeconds: before.cpuSeconds + cpuSeconds };
  if (at < before.at) {
    const used = { from: before.at, to: before.at, cpuSeconds, memoryByteSeconds: 0 };
    return { used, counters: { ...before, ...counted } };
  }
  const { firstMemoryBytes, memoryBytes, memoryByteSeconds } = told;
  const goesOn = since.getTime() === before.since.getTime();
  const unseenSeconds = Math.max(since.getTime() - before.at.getTime(), 0) / 1_000;
  const last = before.memoryBytes ?? firstMemoryBytes ?? memoryBytes;
  const unseen = (unseenSeconds * (last + (firstMemoryBytes ?? last))) / 2;
  const known = goesOn ? before.memoryByteSeconds : -unseen;
  const grown = Math.max(memoryByteSeconds - known, 0);
  return {
    used: { from: before.at, to: at, cpuSeconds, memoryByteSeconds: grown },
    counters: { since, at, memoryBytes, memoryByteSeconds, ...counted },
  };
}

const HOUR_MS = 3_600_000;

/** The same hour by hour: by how much of the time is in each. */
export function byHour({ from, to, cpuSeconds, memoryByteSeconds }: Used) {
  const [begin, end] = [from.getTime(), to.getTime()];
  const parts: { hour: Date; cpuSeconds: number; memoryByteSeconds: number }[] = [];
  for (let at = begin - (begin % HOUR_MS); at < end || parts.length === 0; at += HOUR_MS) {
    const partMs = Math.min(at + HOUR_MS, end) - Math.max(at, begin);
    const share = end === begin ? 1 : partMs / (end - begin);
    parts.push({
      hour: new Date(at),
      ...{ cpuSeconds: cpuSeconds * share, memoryByteSeconds: memoryByteSeconds * share },
    });
  }
  return parts;
}
