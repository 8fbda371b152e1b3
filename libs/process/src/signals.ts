import { constants } from 'node:os';

const LAST_SIGNAL = 64;
/** What a C library leaves to programs of the real-time signals. */
const RTMIN = 34;
const RTMAX = LAST_SIGNAL;

/**
 * @param text as images and `docker kill` have it: `SIGTERM`, `term`, `15`, `SIGRTMIN+3`
 * @returns null for what is no signal
 */
export function signalNumber(text: string): number | null {
  const name = text.toUpperCase().replace(/^SIG/, '');
  const number = /^\d{1,2}$/.test(name) ? Number(name) : (numberOf(name) ?? 0);
  return number >= 1 && number <= LAST_SIGNAL ? number : null;
}

function numberOf(name: string): number | undefined {
  const [, end, offset = '0'] = /^RT(MIN|MAX)([+-]\d{1,2})?$/.exec(name) ?? [];
  if (end === undefined) return (constants.signals as Record<string, number>)[`SIG${name}`];
  const number = (end === 'MIN' ? RTMIN : RTMAX) + Number(offset);
  return number >= RTMIN ? number : undefined;
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
