import { constants } from 'node:os';

/** @param text as images have it: `SIGTERM`, `TERM`, `15`; absent or unknown: SIGTERM */
export function signalNumber(text: string | null | undefined): number {
  const known = constants.signals as Record<string, number>;
  const wanted = (text ?? '').toUpperCase();
  const number = /^\d+$/.test(wanted) ? Number(wanted) : (known[wanted] ?? known[`SIG${wanted}`]);
  return number !== undefined && number >= 1 && number <= 64 ? number : constants.signals.SIGTERM;
}

/** `SIGKILL`, or `signal 40` for one without a name. */
export function signalName(number: number): string {
  const known = Object.entries(constants.signals).find(([, value]) => value === number);
  return known?.[0] ?? `signal ${number}`;
}
