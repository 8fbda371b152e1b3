import { expect, test } from 'vitest';
import { CONTAINER_STATES, isSettled, statesBefore } from './container.ts';

test('from every state there is a way to removed, which nothing follows', () => {
  const leadsOn = new Set(['removed']);
  for (let grows = true; grows; ) {
    const before = leadsOn.size;
    for (const state of CONTAINER_STATES) {
      if (leadsOn.has(state)) for (const earlier of statesBefore(state)) leadsOn.add(earlier);
    }
    grows = leadsOn.size > before;
  }
  expect([...leadsOn].toSorted()).toEqual([...CONTAINER_STATES].toSorted());
  expect(CONTAINER_STATES.filter((state) => statesBefore(state).includes('removed'))).toEqual([]);
});

test('a state that does not settle leads to one that does', () => {
  for (const state of CONTAINER_STATES.filter((known) => !isSettled(known))) {
    const next = CONTAINER_STATES.filter((known) => statesBefore(known).includes(state));
    expect(next.some(isSettled), state).toBe(true);
  }
});
