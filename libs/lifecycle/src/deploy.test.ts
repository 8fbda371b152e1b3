import { expect, test } from 'vitest';
import { DEPLOY_STATES, deployStatesBefore, isDeployOver } from './deploy.ts';

test('a deploy that is over stays as it is; one that is not can still end', () => {
  const ends = DEPLOY_STATES.filter(isDeployOver);
  for (const state of DEPLOY_STATES) {
    const next = ends.filter((end) => deployStatesBefore(end).includes(state));
    expect(next.length > 0, state).toBe(!isDeployOver(state));
  }
});
