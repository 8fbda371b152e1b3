import { expect, test } from 'vitest';
import { type EndedRun, restartDelayMs } from './restart-delay.ts';

const at = (ms: number) => new Date(1_700_000_000_000 + ms);
const run = (lastedMs: number, reason = 'error'): EndedRun => {
  return { reason, startedAt: at(0), finishedAt: at(lastedMs) };
};
const notBegun: EndedRun = { reason: 'image-not-found', startedAt: null, finishedAt: at(0) };

test('short runs in a row rest longer each time, up to a minute', () => {
  const delays = [1, 2, 3, 4, 20].map((count) => restartDelayMs(Array(count).fill(run(500))));
  expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 60_000]);
  expect(restartDelayMs([notBegun, run(500)])).toBe(2_000);
});

test('what ran well before, or was ended by the platform, begins again at once', () => {
  expect(restartDelayMs([run(60_000), run(1), run(1)])).toBe(0);
  expect(restartDelayMs([run(1), run(60_000), run(1)])).toBe(1_000);
  expect(restartDelayMs([run(1, 'instance-stopped'), run(1), run(1)])).toBe(0);
});
