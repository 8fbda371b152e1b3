import type { BuildStep } from '@slipway/contracts';

/** The steps of a build that ended before its agent could say how they did. */
export function givenUp(steps: readonly BuildStep[], how: 'cancelled' | 'failed'): BuildStep[] {
  return steps.map((step) => (step.state === 'running' ? { ...step, state: how } : step));
}
