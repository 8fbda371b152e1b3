import type { EdgeReport } from '@slipway/contracts';
import { expect, test } from 'vitest';
import { isDrained } from './draining.ts';

const since = new Date('2026-01-01T00:00:00Z');
const at = (seconds: number) => new Date(since.getTime() + seconds * 1_000);
const told = (...edges: EdgeReport[]) => ({ version: 9, edges });
const leaving = { engineId: 'old', routeVersion: 5, since };

test('an instance is drained when every edge has its new route, and none has a request there', () => {
  const through = { version: 5, leaving: ['other'] };
  expect(isDrained(leaving, told(through, { version: 9, leaving: [] }), at(0))).toBe(true);
  expect(isDrained(leaving, told(through, { version: 4, leaving: [] }), at(0))).toBe(false);
  expect(isDrained(leaving, told(through, { version: 5, leaving: ['old'] }), at(0))).toBe(false);
});

test('edges that nobody hears of, and requests without end, are waited for no longer than 30 s', () => {
  for (const published of [told(), told({ version: 5, leaving: ['old'] })]) {
    expect(isDrained(leaving, published, at(29))).toBe(false);
    expect(isDrained(leaving, published, at(30))).toBe(true);
  }
});

test('an instance stays while its new route is not published, however long that takes', () => {
  const published = { version: 4, edges: [{ version: 4, leaving: [] }] };
  expect(isDrained(leaving, published, at(3600))).toBe(false);
});
