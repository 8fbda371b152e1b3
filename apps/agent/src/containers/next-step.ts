import type { DesiredContainer } from '@slipway/contracts';
import type { Task } from '../containerd/tasks.ts';

/** What the node has of a container. */
export interface ActualContainer {
  /** it has its filesystem, and can be started */
  isMade: boolean;
  /** the newest run whose program may have begun; 0: none */
  begunGeneration: number;
  task: Task['status'] | null;
}

/**
 * - `make`: its filesystem, without a run
 * - `run`: the newest run, from its pull to its start
 * - `stop`: ask the program to end, and end it when its time is up
 * - `discard`: end at once what runs, or what was created and has not begun
 * - `end`: tell how the run ended, and clear it
 * - `lose`: tell that the run is over and nobody knows how
 * - `skip`: tell that the run ended before it began
 * - `remove`: everything of it, also what has ended
 * - `probe`: find out whether it is ready
 * - `confirm-…`: all is as it should be; tell so in case that got lost
 */
export type Step =
  | 'make'
  | 'run'
  | 'stop'
  | 'discard'
  | 'end'
  | 'lose'
  | 'skip'
  | 'remove'
  | 'probe'
  | 'confirm-created'
  | 'confirm-running'
  | 'rest';

/** What brings a container one step nearer to where it should be. @param desired null: it should not be here */
export function nextStep(desired: DesiredContainer | null, actual: ActualContainer): Step {
  const { task, begunGeneration } = actual;
  const isOver = task === null || task === 'STOPPED';
  if (desired === null || desired.desired === 'removed') return isOver ? 'remove' : 'discard';
  if (task === 'STOPPED') return 'end';
  const { generation } = desired;
  if (task !== null) {
    if (task === 'CREATED') return 'discard';
    if (desired.desired !== 'running' || begunGeneration !== generation) return 'stop';
    return desired.awaitsProbe ? 'probe' : 'confirm-running';
  }
  if (generation > 0 && !desired.isRunOver) {
    if (begunGeneration === generation) return 'lose';
    return desired.desired === 'running' ? 'run' : 'skip';
  }
  if (generation > 0) return 'rest';
  if (actual.isMade) return 'confirm-created';
  return desired.isSettled ? 'rest' : 'make'; // settled without having been made: it cannot be
}

/** Nothing is to be done. */
export function isAtRest(step: Step): boolean {
  return step === 'rest' || step === 'confirm-created' || step === 'confirm-running';
}
