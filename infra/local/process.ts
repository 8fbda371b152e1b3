import { readdirSync, readFileSync } from 'node:fs';
import { textOf } from './files.ts';
import { waitFor } from './wait.ts';

/** The start time (clock ticks) of a live process; null when there is none (a zombie counts as gone). */
export function startTimeOf(pid: number): string | null {
  const fields = statOf(pid);
  const isDead = fields[0] === 'Z' || fields[0] === 'X';
  return isDead ? null : (fields[19] ?? null);
}

export function parentOf(pid: number): number | null {
  const parent = statOf(pid)[1];
  return parent === undefined ? null : Number(parent);
}

/** The fields of /proc/PID/stat from the state (the third) on; none when it is gone. */
function statOf(pid: number): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // the second field, the command's name, may hold spaces and parentheses
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

/** The name of a process's program, cut to 15 characters as the kernel keeps it; null when it is gone. */
export function programOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return null;
  }
}

/** Those of all processes, threads apart. */
export function pids(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** The arguments or the environment of a process; none when it is gone. */
export function listOf(pid: number, file: 'environ' | 'cmdline'): string[] {
  return textOf(`/proc/${pid}/${file}`).split('\0');
}

/**
 * SIGKILL to those that are found, until none is. @param what for the error, when they do not end
 * @returns how many there were
 */
export async function killAll(what: string, found: () => readonly number[]): Promise<number> {
  const killed = new Set<number>();
  await waitFor(
    `the end of ${what}`,
    () => {
      const now = found();
      for (const pid of now) {
        killed.add(pid);
        signal(pid, 'SIGKILL');
      }
      return now.length === 0 ? true : null;
    },
    { timeoutMs: 60_000, everyMs: 20 },
  );
  return killed.size;
}

/** Nothing when it is gone already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
