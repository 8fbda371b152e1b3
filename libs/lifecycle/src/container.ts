/**
 * Where a container is. It is cyclic: it can be started again; each start is a *run* of its own,
 * which ends once.
 */
export const CONTAINER_STATES = [
  'pending',
  'created',
  'running',
  'restarting',
  'stopping',
  'exited',
  'failed',
  'removing',
  'removed',
] as const;
export type ContainerState = (typeof CONTAINER_STATES)[number];

/** The states that each state may follow. */
const FOLLOWS: Readonly<Record<ContainerState, readonly ContainerState[]>> = {
  // a start of one that rests
  pending: ['created', 'exited', 'failed'],
  created: ['pending'],
  running: ['pending', 'restarting'],
  // a new run, which waits for the end of the one before
  restarting: ['running', 'stopping'],
  // one that stops already may be given less time
  stopping: ['pending', 'running', 'restarting', 'stopping'],
  // without having been seen running, when it was short, or stopped before it began
  exited: ['pending', 'running', 'restarting', 'stopping'],
  // a run that could not begin, or a container that could not be made
  failed: ['pending', 'restarting', 'stopping'],
  removing: ['pending', 'created', 'running', 'restarting', 'stopping', 'exited', 'failed'],
  removed: ['removing'],
};

export function statesBefore(state: ContainerState): readonly ContainerState[] {
  return FOLLOWS[state];
}

/** It stays as it is until somebody asks for something else, or its program ends. */
export function isSettled(state: ContainerState): boolean {
  return !['pending', 'restarting', 'stopping', 'removing'].includes(state);
}
