import { expect, test } from 'vitest';
import { type Candidate, place } from './place.ts';

const now = new Date('2026-01-01T00:01:00Z');
const node = (id: string, containerCount: number, silentMs = 0): Candidate => ({
  ...{ id, containerCount, seenAt: new Date(now.getTime() - silentMs) },
});

test('a container goes to the ready node with the fewest', () => {
  expect(place([node('a', 3), node('b', 1), node('c', 2)], now)).toBe('b');
  expect(place([node('b', 1), node('a', 1)], now)).toBe('a');
});

test('a node that is silent gets one only when all are, the one that was seen last', () => {
  expect(place([node('a', 0, 60_000), node('b', 9)], now)).toBe('b');
  expect(place([node('a', 0, 60_000), node('b', 9, 30_000)], now)).toBe('b');
});

test('without a node there is no place', () => {
  expect(place([], now)).toBeNull();
});
