import { readdirSync } from 'node:fs';
import { textOf } from '../files.ts';
import type { Instance } from '../instance.ts';
import { parentOf, programOf, signal, startTimeOf } from '../process.ts';
import { liveProcesses } from '../records.ts';
import { waitFor } from '../wait.ts';

/** Engines that may have overwritten their environment: known by a path in their arguments. */
const ENGINES = /^(postgres|redis|containerd)/;

/** Kills what an instance still has running, with its descendants. @returns how many there were */
export async function killProcesses(instance: Instance): Promise<number> {
  const killed = new Set<number>();
  await waitFor(
    `the end of the processes of ${instance.checkout}`,
    () => {
      const pids = processesOf(instance);
      for (const pid of pids) {
        killed.add(pid);
        signal(pid, 'SIGKILL');
      }
      return pids.length === 0 ? true : null;
    },
    { timeoutMs: 60_000, everyMs: 20 },
  );
  return killed.size;
}

function processesOf(instance: Instance): number[] {
  const all = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const parents = new Map(all.map((pid) => [pid, parentOf(pid)]));
  const spared = new Set(ancestorsOf(process.pid, parents));
  const recorded = new Set(liveProcesses(instance).map(({ pid }) => pid));
  const found = new Set(
    all.filter((pid) => !spared.has(pid) && (recorded.has(pid) || belongs(pid, instance))),
  );
  const isBelow = (pid: number): boolean => ancestorsOf(pid, parents).some((up) => found.has(up));
  return all.filter((pid) => !spared.has(pid) && isBelow(pid) && startTimeOf(pid) !== null);
}

/** A process and all above it. */
function ancestorsOf(pid: number, parents: ReadonlyMap<number, number | null>): number[] {
  const line: number[] = [];
  for (let up: number | null = pid; up !== null && up > 1; up = parents.get(up) ?? null)
    line.push(up);
  return line;
}

function belongs(pid: number, { stateDir, runDir }: Instance): boolean {
  if (listOf(pid, 'environ').includes(`SLIPWAY_HOME=${stateDir}`)) return true;
  if (!ENGINES.test(programOf(pid) ?? '')) return false;
  return listOf(pid, 'cmdline').some((arg) => arg.includes(`${runDir}/`));
}

function listOf(pid: number, file: 'environ' | 'cmdline'): string[] {
  return textOf(`/proc/${pid}/${file}`).split('\0');
}
