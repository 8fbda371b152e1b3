import { expect, test } from 'vitest';
import { BUILD_STATES, buildStatesBefore, isBuildOver } from './build.ts';

test('a build that is over stays as it is; one that is not can still end in each way', () => {
  for (const end of BUILD_STATES.filter(isBuildOver)) {
    expect(buildStatesBefore(end)).toContain('running');
    for (const state of BUILD_STATES) expect(buildStatesBefore(state)).not.toContain(end);
  }
});
