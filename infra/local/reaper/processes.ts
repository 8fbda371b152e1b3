import type { Instance } from '../instance.ts';
import { isServerOf } from '../parts/postgres.ts';
import { killAll, listOf, parentOf, pids, programOf, startTimeOf } from '../process.ts';
import { liveProcesses } from '../records.ts';

/** Engines that may have overwritten their environment: known by a path in their arguments. */
const ENGINES = /^(postgres|redis|containerd)/;

/** Kills what an instance still has running, with its descendants. @returns how many there were */
export function killProcesses(instance: Instance): Promise<number> {
  return killAll(`the processes of ${instance.checkout}`, () => processesOf(instance));
}

function processesOf(instance: Instance): number[] {
  const all = pids();
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

function belongs(pid: number, instance: Instance): boolean {
  const { stateDir, runDir } = instance;
  if (listOf(pid, 'environ').includes(`SLIPWAY_HOME=${stateDir}`)) return true;
  if (isServerOf(instance, pid)) return true;
  if (!ENGINES.test(programOf(pid) ?? '')) return false;
  return listOf(pid, 'cmdline').some((arg) => arg.includes(`${runDir}/`));
}
