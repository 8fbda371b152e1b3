/** A run that lasted so long was none of a row of failures. */
const STEADY_MS = 10_000;
const FIRST_DELAY_MS = 1_000;
const LAST_DELAY_MS = 60_000;
/** More in a row make no longer delay. */
export const RUNS_THAT_COUNT = 8;

export interface EndedRun {
  reason: string | null;
  startedAt: Date | null;
  finishedAt: Date | null;
}

/**
 * How long a container rests before its next run: 1 s, and twice as long after each further run that
 * was short. @param runs the newest first
 */
export function restartDelayMs(runs: readonly EndedRun[]): number {
  if (runs[0]?.reason === 'instance-stopped') return 0; // that was the platform's doing
  const firstSteady = runs.findIndex(isSteady);
  const short = firstSteady === -1 ? runs.length : firstSteady;
  if (short === 0) return 0;
  return Math.min(FIRST_DELAY_MS * 2 ** (short - 1), LAST_DELAY_MS);
}

function isSteady({ reason, startedAt, finishedAt }: EndedRun): boolean {
  if (startedAt === null || finishedAt === null) return reason === 'instance-stopped';
  return finishedAt.getTime() - startedAt.getTime() >= STEADY_MS;
}
