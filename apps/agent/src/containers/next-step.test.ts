import type { DesiredContainer } from '@slipway/contracts';
import { expect, test } from 'vitest';
import { type ActualContainer, nextStep, type Step } from './next-step.ts';

const engineId = 'a'.repeat(64);
const wanted = (
  desired: DesiredContainer['desired'],
  generation: number,
  isRunOver = false,
  isSettled = isRunOver,
): DesiredContainer => ({
  engineId,
  desired,
  generation,
  isRunOver,
  isSettled,
  awaitsProbe: false,
});
const awaited = (generation: number): DesiredContainer => ({
  ...wanted('running', generation),
  awaitsProbe: true,
});
const nothing: ActualContainer = { isMade: false, begunGeneration: 0, task: null };
const made: ActualContainer = { ...nothing, isMade: true };
const begun = (generation: number, task: ActualContainer['task']): ActualContainer => ({
  ...{ isMade: true, begunGeneration: generation, task },
});

const CASES: [string, DesiredContainer | null, ActualContainer, Step][] = [
  ['a new one that is to run is run', wanted('running', 1), nothing, 'run'],
  ['also when it was made in an earlier attempt', wanted('running', 1), made, 'run'],
  ['one that is not to run is made', wanted('stopped', 0), nothing, 'make'],
  ['and rests then', wanted('stopped', 0), made, 'confirm-created'],
  [
    'what could not be made is not tried for ever',
    wanted('stopped', 0, false, true),
    nothing,
    'rest',
  ],
  ['what runs goes on', wanted('running', 2), begun(2, 'RUNNING'), 'confirm-running'],
  ['what runs and is not ready yet is probed', awaited(2), begun(2, 'RUNNING'), 'probe'],
  ['its end is told of without that', awaited(2), begun(2, 'STOPPED'), 'end'],
  ['an older run makes way for a newer', wanted('running', 3), begun(2, 'RUNNING'), 'stop'],
  ['and is told of before the newer begins', wanted('running', 3), begun(2, 'STOPPED'), 'end'],
  ['then the newer begins', wanted('running', 3), begun(2, null), 'run'],
  ['what is to stop is stopped', wanted('stopped', 2), begun(2, 'RUNNING'), 'stop'],
  ['also while it is frozen', wanted('stopped', 2), begun(2, 'PAUSED'), 'stop'],
  ['what ended is told of', wanted('running', 2), begun(2, 'STOPPED'), 'end'],
  ['and not begun again', wanted('running', 2, true), begun(2, null), 'rest'],
  [
    'a begun run without a task is lost, not repeated',
    wanted('running', 2),
    begun(2, null),
    'lose',
  ],
  ['lost also when it was to stop', wanted('stopped', 2), begun(2, null), 'lose'],
  ['stopped before it began, it never begins', wanted('stopped', 1), made, 'skip'],
  [
    'an agent killed before the start begins anew',
    wanted('running', 1),
    begun(0, 'CREATED'),
    'discard',
  ],
  ['what is to go is ended', wanted('removed', 2), begun(2, 'RUNNING'), 'discard'],
  ['then it goes', wanted('removed', 2), begun(2, 'STOPPED'), 'remove'],
  ['also one that rested', wanted('removed', 2, true), begun(2, null), 'remove'],
  ['what is gone is gone', wanted('removed', 2, true), nothing, 'remove'],
  ['what nobody knows is ended', null, begun(1, 'RUNNING'), 'discard'],
  ['and goes', null, begun(1, 'STOPPED'), 'remove'],
  ['also when it never began', null, made, 'remove'],
];

test.each(CASES)('%s', (_, desired, actual, step) => {
  expect(nextStep(desired, actual)).toBe(step);
});
