import { expect, test } from 'vitest';
import { signalName, signalNumber, signalOf } from './signals.ts';

test('a signal has a name or a number; what is none is refused', () => {
  for (const text of ['SIGINT', 'int', '2']) expect(signalNumber(text)).toBe(2);
  for (const text of ['', 'NONE', 'SIG', '0', '65', '-1', '1.5', 'RTMIN-1', 'RTMAX+1', 'RT']) {
    expect(signalNumber(text), text).toBeNull();
  }
  const realTime = ['SIGRTMIN', 'rtmin+3', 'SIGRTMAX-1', 'RTMAX'];
  expect(realTime.map(signalNumber)).toEqual([34, 37, 63, 64]);
});

test('an exit code tells of a signal only where there is one of that number', () => {
  expect([0, 1, 128, 193, 255].map(signalOf)).toEqual([null, null, null, null, null]);
  expect(signalOf(137)).toBe(9);
  expect([9, 15, 40].map(signalName)).toEqual(['SIGKILL', 'SIGTERM', 'signal 40']);
});
