import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CgroupUsage } from '../cgroups/usage.ts';
import { Meter, type Metered } from './meter.ts';

const BEGUN = new Date('2026-01-01T09:00:00.000Z');
const RUN: Metered = {
  subject: { engineId: 'e', generation: 1 },
  ...{ startedAt: BEGUN.toISOString(), cgroup: '/e' },
};
const BUILD: Metered = { ...RUN, subject: { buildId: 'b', attempt: 1, sandbox: 'build' } };

const seconds = (n: number): Date => new Date(BEGUN.getTime() + n * 1_000);
const usage = (cpuSeconds: number, memoryBytes: number): CgroupUsage => ({
  ...{ cpuSeconds, memoryBytes, peakMemoryBytes: 900, isOver: false },
});

beforeEach(() => {
  vi.useFakeTimers({ now: BEGUN });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A second later, each. @returns the meter, of which the run began 0 s ago, and is looked at from `since` on */
function meterOf(looks: CgroupUsage[], since = BEGUN): Meter {
  const meter = new Meter(RUN, since);
  for (const seen of looks) {
    vi.advanceTimersByTime(1_000);
    meter.look(seen);
  }
  return meter;
}

test('memory is taken to change evenly between looks, and not before the first', () => {
  expect(meterOf([]).counters).toBeNull();
  const looks = [usage(0.1, 100), usage(0.2, 300), usage(0.4, 300)];
  expect(meterOf(looks).counters).toEqual({
    ...{ subject: RUN.subject, startedAt: RUN.startedAt },
    ...{ since: seconds(0).toISOString(), at: seconds(3).toISOString() },
    ...{ cpuSeconds: 0.4, firstMemoryBytes: 100, memoryBytes: 300 },
    memoryByteSeconds: 100 + 200 + 300,
  });
});

test('a run that has ended had its memory to its end, and its CPU time', () => {
  const meter = meterOf([usage(0.1, 100), usage(0.2, 300)]);
  vi.advanceTimersByTime(60_000);
  meter.end(seconds(2.5), usage(0.5, 10));
  const counted = {
    ...{ at: seconds(2.5).toISOString(), cpuSeconds: 0.5, memoryBytes: 300 },
    memoryByteSeconds: 100 + 200 + 150,
  };
  expect(meter.counters).toMatchObject(counted);
  meter.end(seconds(2.5), usage(0.5, 10));
  expect(meter.counters, 'told again').toMatchObject(counted);
});

test('of a run that nobody knows the end of counts what was seen', () => {
  const meter = meterOf([usage(0.1, 100), usage(0.2, 300)]);
  const { counters } = meter;
  vi.advanceTimersByTime(60_000);
  meter.end(null, null);
  expect(meter.counters).toEqual(counters);
});

test('a clock that was set is no time that went by', () => {
  const meter = meterOf([usage(0.1, 100)]);
  vi.setSystemTime(seconds(86_400));
  vi.advanceTimersByTime(1_000);
  meter.look(usage(0.2, 100));
  expect(meter.counters).toMatchObject({ memoryByteSeconds: 200 });
  meter.end(seconds(86_401), usage(0.2, 100));
  expect(meter.counters).toMatchObject({ memoryByteSeconds: 200 });
});

test('a run that ended before anybody looked had the most that it ever had', () => {
  const begun = new Meter(RUN, BEGUN);
  vi.advanceTimersByTime(1_000);
  begun.end(seconds(0.05), usage(0.1, 0));
  expect(begun.counters).toMatchObject({
    ...{ firstMemoryBytes: null, memoryBytes: 900, memoryByteSeconds: 45 },
  });
  const found = new Meter(RUN, seconds(0.05));
  found.end(seconds(0.05), usage(0.1, 0));
  expect(found.counters).toMatchObject({
    ...{ firstMemoryBytes: null, memoryBytes: 900, memoryByteSeconds: 0, cpuSeconds: 0.1 },
  });
});

/** @returns when it was looked at and reported in its first minute, in ms */
function inAMinute(metered: Metered) {
  const meter = new Meter(metered, BEGUN);
  const looks: number[] = [];
  const reports: number[] = [];
  for (let ms = 0; ms < 60_000; ms += 100) {
    vi.advanceTimersByTime(100);
    if (meter.isToBeLookedAt) {
      meter.look(usage(0, 0));
      looks.push(ms);
    }
    if (meter.isToBeReported) {
      meter.reported();
      reports.push(ms);
    }
  }
  return { looks, reports };
}

test('it is looked at and reported the more often, the younger the run is', () => {
  const { looks, reports } = inAMinute(RUN);
  expect(looks.filter((ms) => ms < 1_000).length).toBeGreaterThan(5);
  expect(looks.filter((ms) => ms >= 50_000).length).toBe(10);
  expect(reports.filter((ms) => ms < 2_000).length).toBeGreaterThan(3);
  expect(reports.filter((ms) => ms >= 40_000).length).toBe(2);
});

test('of a build each look is reported, since nobody looks any more when its agent ends', () => {
  const { looks, reports } = inAMinute(BUILD);
  expect(reports).toEqual(looks);
  expect(looks.filter((ms) => ms >= 50_000).length).toBe(20);
});

test('what is over is not looked at, and to be reported until it is', () => {
  const meter = meterOf([usage(0.1, 100)]);
  meter.reported();
  meter.end(seconds(1), usage(0.2, 100));
  expect([meter.isOver, meter.isToBeReported]).toEqual([true, true]);
  vi.advanceTimersByTime(60_000);
  expect(meter.isToBeLookedAt).toBe(false);
});
