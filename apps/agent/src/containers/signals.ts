import { constants } from 'node:os';

const LAST_SIGNAL = 64;

/** @param text as images have it: `SIGTERM`, `TERM`, `15`; absent or unknown: SIGTERM */
export function signalNumber(text: string | null | undefined): number {
  const known = constants.signals as Record<string, number>;
  const wanted = (text ?? '').toUpperCase();
  const number = /^\d+$/.test(wanted) ? Number(wanted) : (known[wanted] ?? known[`SIG${wanted}`]);
  return number !== undefined && number >= 1 && number <= LAST_SIGNAL
    ? number
    : constants.signals.SIGTERM;
}

/** What ended a program, or null when it ended by itself. @param exitCode of a task: 128 and the signal's number */
export function signalOf(exitCode: number): number | null {
  const number = exitCode - 128;
  return number >= 1 && number <= LAST_SIGNAL ? number : null;
}

/** `SIGKILL`, or `signal 40` for one without a name. */
export function signalName(number: number): string {
  const known = Object.entries(constants.signals).find(([, value]) => value === number);
  return known?.[0] ?? `signal ${number}`;
}
