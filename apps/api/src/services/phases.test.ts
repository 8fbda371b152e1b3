import { expect, test } from 'vitest';
import { ended, entered, WAITING } from './phases.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const states = (phases: readonly { state: string }[]) => phases.map(({ state }) => state);

test('a phase begins when the one before it ends, and what is told twice changes nothing', () => {
  const started = entered(WAITING, 'start', at(1));
  expect(states(started)).toEqual(['succeeded', 'succeeded', 'running', 'waiting', 'waiting']);
  expect(entered(started, 'start', at(2))).toEqual(started);
  const healthy = entered(started, 'healthy', at(3));
  expect(healthy[2]).toMatchObject({
    startedAt: at(1).toISOString(),
    finishedAt: at(3).toISOString(),
  });
  expect(states(ended(healthy, 'failed', at(4)))).toEqual([
    ...['succeeded', 'succeeded', 'succeeded', 'failed', 'waiting'],
  ]);
});

test('phases that nobody saw are done all the same', () => {
  const done = ended(entered(WAITING, 'route', at(1)), 'succeeded', at(1));
  expect(states(done)).toEqual(Array(5).fill('succeeded'));
  expect(states(ended(WAITING, 'cancelled', at(1)))).toEqual([
    ...['cancelled', 'waiting', 'waiting', 'waiting', 'waiting'],
  ]);
});
