import type { BuildStep } from '@slipway/contracts';

/** The steps of a build that ended before its agent could say how they did. */
export function givenUp(
  steps: readonly BuildStep[],
  { how, at }: { how: 'cancelled' | 'failed'; at: Date },
): BuildStep[] {
  const end = { state: how, finishedAt: at.toISOString() };
  return steps.map((step) => (step.state === 'running' ? { ...step, ...end } : step));
}
