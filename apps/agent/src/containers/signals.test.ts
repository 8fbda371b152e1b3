import { expect, test } from 'vitest';
import { signalName, signalNumber, signalOf } from './signals.ts';

test('a signal is read in all forms that images have it in; what is none is SIGTERM', () => {
  for (const text of ['SIGINT', 'int', '2']) expect(signalNumber(text)).toBe(2);
  for (const text of [null, '', 'NONE', '0', '65', '-1']) expect(signalNumber(text)).toBe(15);
});

test('an exit code tells the signal that ended a program, unless no signal has that number', () => {
  expect([0, 1, 128, 193, 255].map(signalOf)).toEqual([null, null, null, null, null]);
  expect(signalOf(137)).toBe(9);
  expect([9, 15, 40].map(signalName)).toEqual(['SIGKILL', 'SIGTERM', 'signal 40']);
});
