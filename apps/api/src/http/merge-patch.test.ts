import { expect, test } from 'vitest';
import { z } from 'zod';
import { mergePatch, mergePatchOf } from './merge-patch.ts';

// of RFC 7396, appendix A
test.each([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'foo' }, null, null],
])('%j with %j is %j', (target, patch, merged) => {
  const before = structuredClone(target);
  expect(mergePatch(target, patch)).toEqual(merged);
  expect(target).toEqual(before);
});

const patch = mergePatchOf(
  z.strictObject({
    image: z.string(),
    port: z.int().min(1).default(80),
    env: z.record(z.string(), z.string()).default({}),
    health: z.strictObject({ path: z.string().optional() }).prefault({}),
  }),
);

test('a patch may leave everything out, and fills nothing in', () => {
  expect(patch.parse({})).toEqual({});
  const given = { image: null, env: { A: null, B: 'c' }, health: { path: null } };
  expect(patch.parse(given)).toEqual(given);
});

test.each([
  { port: 0 },
  { env: { A: 1 } },
  { health: { path: 1 } },
  { health: { x: 1 } },
  { x: 1 },
])('what the object refuses, its patch refuses: %j', (wrong) =>
  expect(patch.safeParse(wrong).success).toBe(false),
);
