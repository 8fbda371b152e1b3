/** Docker's, whose `0` means without end, as its absence does. */
export const RESTART_POLICY = /^(no|always|unless-stopped|on-failure(:\d{1,9})?)$/;

/** A run that lasted so long was none of a row of failures. */
const STEADY_MS = 10_000;
const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 60_000;
/** More in a row make no longer delay. */
export const RUNS_THAT_COUNT = 11;

export interface EndedRun {
  generation: number;
  exitCode: number | null;
  reason: string | null;
  startedAt: Date | null;
  finishedAt: Date | null;
}

export interface Restartable {
  /** that matches `RESTART_POLICY` */
  restartPolicy: string;
  restartCount: number;
  signalledRun: number;
}

/**
 * When its restart policy begins the next run of a container that ended without having been stopped;
 * null: it does not. A run whose end nobody knows is a failure, and so is one that could not begin: but
 * when none ever began, there is nothing to begin again.
 *
 * @param runs the newest first, `RUNS_THAT_COUNT` at most
 * @see https://docs.docker.com/engine/containers/start-containers-automatically/
 */
export function nextRunAt(container: Restartable, runs: readonly EndedRun[]): Date | null {
  const [last] = runs;
  if (last?.finishedAt == null || last.generation === container.signalledRun) return null;
  const hasBegun = container.restartCount > 0 || runs.some(isBegun);
  if (!hasBegun || !asksForAnother(container, last)) return null;
  return new Date(last.finishedAt.getTime() + delayMs(runs));
}

function asksForAnother({ restartPolicy, restartCount }: Restartable, last: EndedRun): boolean {
  const [name, times = '0'] = restartPolicy.split(':');
  if (name !== 'on-failure') return name !== 'no';
  const isAllowed = Number(times) === 0 || restartCount < Number(times);
  return isAllowed && last.exitCode !== 0;
}

/** 100 ms, and twice as long after each further run that was short. */
function delayMs(runs: readonly EndedRun[]): number {
  if (runs[0] !== undefined && isLost(runs[0])) return 0; // that was the platform's doing
  const firstSteady = runs.findIndex((run) => isLost(run) || isSteady(run));
  const short = firstSteady === -1 ? runs.length : firstSteady;
  if (short === 0) return 0;
  return Math.min(FIRST_DELAY_MS * 2 ** (short - 1), LAST_DELAY_MS);
}

function isBegun(run: EndedRun): boolean {
  return run.startedAt !== null || isLost(run);
}

function isLost({ reason }: EndedRun): boolean {
  return reason === 'instance-stopped';
}

function isSteady({ startedAt, finishedAt }: EndedRun): boolean {
  if (startedAt === null || finishedAt === null) return false;
  return finishedAt.getTime() - startedAt.getTime() >= STEADY_MS;
}
