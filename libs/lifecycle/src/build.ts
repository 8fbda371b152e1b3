/** Where a build is. The last three are ends, which nothing follows. */
export const BUILD_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type BuildState = (typeof BUILD_STATES)[number];

/** The states that each state may follow. */
const FOLLOWS: Readonly<Record<BuildState, readonly BuildState[]>> = {
  queued: [],
  // again, when the node on which it ran has ended
  running: ['queued', 'running'],
  succeeded: ['running'],
  failed: ['running'],
  cancelled: ['queued', 'running'],
};

export function buildStatesBefore(state: BuildState): readonly BuildState[] {
  return FOLLOWS[state];
}

/** It is over. */
export function isBuildOver(state: BuildState): boolean {
  return state !== 'queued' && state !== 'running';
}
