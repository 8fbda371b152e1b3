import type { SubjectUsage } from '@slipway/contracts';
import { describe, expect, test } from 'vitest';
import { byHour, type Counters, newIn } from './counters.ts';

const time = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 9) + seconds * 1_000);

/** As it stands when a run has begun at 0, and nobody has reported yet. */
const NOTHING: Counters = {
  ...{ since: time(0), at: time(0) },
  ...{ cpuSeconds: 0, memoryBytes: null, memoryByteSeconds: 0 },
};

type Told = Partial<Omit<SubjectUsage, 'subject' | 'startedAt' | 'since' | 'at'>>;

const told = (since: number, at: number, counters: Told) => ({
  ...{ subject: { engineId: 'e', generation: 1 }, startedAt: time(0).toISOString() },
  ...{ since: time(since).toISOString(), at: time(at).toISOString() },
  ...{ cpuSeconds: 0, firstMemoryBytes: 0, memoryBytes: 0, memoryByteSeconds: 0, ...counters },
});

describe('what a report says that is new', () => {
  test('is by how much counters have grown', () => {
    const before = { ...NOTHING, at: time(10), cpuSeconds: 4, memoryByteSeconds: 1_000 };
    const first = newIn(told(0, 10, { cpuSeconds: 4, memoryByteSeconds: 1_000 }), NOTHING);
    expect(first.used).toEqual({
      ...{ from: time(0), to: time(10), cpuSeconds: 4, memoryByteSeconds: 1_000 },
    });
    expect(first.counters).toEqual({ ...before, memoryBytes: 0 });
    expect(newIn(told(0, 15, { cpuSeconds: 5, memoryByteSeconds: 1_300 }), before).used).toEqual({
      ...{ from: time(10), to: time(15), cpuSeconds: 1, memoryByteSeconds: 300 },
    });
  });

  test('is nothing of a report that comes twice, or late', () => {
    const counters = { cpuSeconds: 4, memoryBytes: 100, memoryByteSeconds: 1_000 };
    const before = { ...NOTHING, at: time(10), ...counters };
    const nothing = { from: time(10), to: time(10), cpuSeconds: 0, memoryByteSeconds: 0 };
    const noNews = { used: nothing, counters: before };
    expect(newIn(told(0, 10, counters), before)).toEqual(noNews);
    expect(newIn(told(0, 9, { cpuSeconds: 3, memoryByteSeconds: 900 }), before)).toEqual(noNews);
    expect(newIn(told(5, 9, { cpuSeconds: 3, memoryByteSeconds: 400 }), before)).toEqual(noNews);
  });

  test('is CPU time when it is of a time that is known, by who counts from the cgroup', () => {
    const before = { ...NOTHING, at: time(10), cpuSeconds: 4, memoryByteSeconds: 1_000 };
    expect(newIn(told(0, 0, { cpuSeconds: 6, memoryBytes: 700 }), before)).toEqual({
      used: { from: time(10), to: time(10), cpuSeconds: 2, memoryByteSeconds: 0 },
      counters: { ...before, cpuSeconds: 6 },
    });
  });

  describe('while no agent looked', () => {
    const before = {
      ...{ ...NOTHING, at: time(10), cpuSeconds: 4 },
      ...{ memoryBytes: 100, memoryByteSeconds: 1_000 },
    };
    const anew = { cpuSeconds: 6, firstMemoryBytes: 300, memoryBytes: 500, memoryByteSeconds: 900 };

    test('is CPU time as the cgroup has it, and memory as if it had grown evenly', () => {
      expect(newIn(told(13, 15, anew), before).used).toEqual({
        ...{ from: time(10), to: time(15), cpuSeconds: 2, memoryByteSeconds: 3 * 200 + 900 },
      });
    });

    test('is memory as it was first when a run was not reported before', () => {
      expect(newIn(told(3, 5, anew), NOTHING).used).toEqual({
        ...{ from: time(0), to: time(5), cpuSeconds: 6, memoryByteSeconds: 3 * 300 + 900 },
      });
    });

    const ended = { cpuSeconds: 6, firstMemoryBytes: null, memoryBytes: 700 };

    test('is memory as it was last when the run has ended', () => {
      expect(newIn(told(13, 13, ended), before).used.memoryByteSeconds).toBe(3 * 100);
    });

    test('is the most there was when nobody ever looked', () => {
      expect(newIn(told(2, 2, ended), NOTHING).used.memoryByteSeconds).toBe(2 * 700);
    });
  });

  test('takes nothing away when a clock was set back', () => {
    const before = { ...NOTHING, at: time(10), cpuSeconds: 4, memoryByteSeconds: 1_000 };
    const anew = told(5, 12, { cpuSeconds: 3, memoryByteSeconds: 7 });
    expect(newIn(anew, before)).toMatchObject({
      used: { cpuSeconds: 0, memoryByteSeconds: 7 },
      counters: { cpuSeconds: 4, memoryByteSeconds: 7 },
    });
  });
});

describe('by hour', () => {
  const used = (from: number, to: number) => {
    const all = { from: time(from), to: time(to), cpuSeconds: 8, memoryByteSeconds: 800 };
    return byHour(all).map(({ hour, cpuSeconds, memoryByteSeconds }) => [
      hour.getUTCHours(),
      ...[cpuSeconds, memoryByteSeconds],
    ]);
  };

  test('it is shared out by time', () => {
    expect(used(10, 20)).toEqual([[9, 8, 800]]);
    expect(used(2_700, 6_300)).toEqual([
      [9, 2, 200],
      [10, 6, 600],
    ]);
    expect(used(0, 14_400).map(([hour, cpu]) => [hour, cpu])).toEqual([
      ...[9, 10, 11, 12].map((hour) => [hour, 2]),
    ]);
  });

  test('an hour begins with its first moment', () => {
    expect(used(0, 3_600)).toEqual([[9, 8, 800]]);
    expect(used(3_600, 3_600)).toEqual([[10, 8, 800]]);
  });
});
