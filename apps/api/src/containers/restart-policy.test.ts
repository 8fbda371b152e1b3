import { expect, test } from 'vitest';
import { type EndedRun, nextRunAt, RESTART_POLICY, type Restartable } from './restart-policy.ts';

const ENDED = new Date(1_700_000_000_000);
const run = (lastedMs: number, more: Partial<EndedRun> = {}): EndedRun => ({
  ...{ generation: 1, exitCode: 1, reason: 'error', finishedAt: ENDED },
  ...{ startedAt: new Date(ENDED.getTime() - lastedMs), ...more },
});
const done = run(1, { exitCode: 0, reason: 'completed' });
const lost = run(1, { exitCode: null, reason: 'instance-stopped', startedAt: null });
const notBegun = run(0, { exitCode: null, reason: 'image-not-found', startedAt: null });

/** How long it rests; null: for good. */
function restMs(restartPolicy: string, runs: EndedRun[], more: Partial<Restartable> = {}) {
  const container = { restartPolicy, restartCount: 0, signalledRun: 0, ...more };
  const at = nextRunAt(container, runs);
  return at === null ? null : at.getTime() - ENDED.getTime();
}

test('each policy says after which end another run begins', () => {
  const after = (policy: string) => [done, run(1), lost].map((last) => restMs(policy, [last]));
  expect(after('no')).toEqual([null, null, null]);
  expect(after('always')).toEqual([100, 100, 0]);
  expect(after('unless-stopped')).toEqual([100, 100, 0]);
  expect(after('on-failure')).toEqual([null, 100, 0]);
});

test('on-failure may have a limit; 0 is none', () => {
  const after = (policy: string, restartCount: number) =>
    restMs(policy, [run(1)], { restartCount });
  expect(after('on-failure:2', 1)).toBe(100);
  expect(after('on-failure:2', 2)).toBe(null);
  expect(after('on-failure:0', 1_000)).toBe(100);
});

test('short runs in a row rest longer each time, up to a minute', () => {
  const delays = [1, 2, 3, 4, 11].map((count) => restMs('always', Array(count).fill(run(500))));
  expect(delays).toEqual([100, 200, 400, 800, 60_000]);
});

test('what ran well before, or was ended by the platform, begins again at once', () => {
  expect(restMs('always', [run(60_000), run(1), run(1)])).toBe(0);
  expect(restMs('always', [run(1), run(60_000), run(1)])).toBe(100);
  expect(restMs('always', [lost, run(1), run(1)])).toBe(0);
  expect(restMs('always', [run(1), lost, run(1)])).toBe(100);
});

test('one that never began is not tried again, one that began once is', () => {
  expect(restMs('always', [notBegun])).toBe(null);
  expect(restMs('always', [notBegun, notBegun, run(1)])).toBe(400);
  expect(restMs('on-failure', Array(11).fill(notBegun), { restartCount: 11 })).toBe(60_000);
});

test('after a run that somebody sent a signal to end by, none begins', () => {
  expect(restMs('always', [run(1)], { signalledRun: 1 })).toBe(null);
  expect(restMs('always', [run(1, { generation: 2 })], { signalledRun: 1 })).toBe(100);
});

test('nothing else is a policy', () => {
  for (const text of ['', 'never', 'Always', 'always:1', 'on-failure:', 'on-failure:-1', 'no\n']) {
    expect(text).not.toMatch(RESTART_POLICY);
  }
});
