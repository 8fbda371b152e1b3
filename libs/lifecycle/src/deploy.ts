/** Where a deploy is. It ends once. */
export const DEPLOY_STATES = [
  'queued',
  'running',
  'succeeded',
  'failed',
  'superseded',
  'cancelled',
  'rolled-back',
] as const;
export type DeployState = (typeof DEPLOY_STATES)[number];

/** The states that each state may follow. */
const FOLLOWS: Readonly<Record<DeployState, readonly DeployState[]>> = {
  queued: [],
  running: ['queued'],
  succeeded: ['running'],
  // one for which there is no place never runs
  failed: ['queued', 'running'],
  superseded: ['queued', 'running'],
  cancelled: ['queued', 'running'],
  'rolled-back': ['queued', 'running'],
};

export function deployStatesBefore(state: DeployState): readonly DeployState[] {
  return FOLLOWS[state];
}

export function isDeployOver(state: DeployState): boolean {
  return !['queued', 'running'].includes(state);
}
