import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Checkout } from '../fixtures/checkout.ts';
import { type Bench, type Comparison, Figures } from './comparison.ts';

const ROUNDS = 3;
const SECONDS = 20;
/** Of a clock tick in /proc: USER_HZ, the same on every Linux. */
const TICKS_PER_SECOND = 100;
const MIB = 1024 * 1024;

export const idle: Bench = {
  about: `What the platform takes while nothing is asked of it, right after a first start, the sample
running: all of its Node processes (supervisor, API, agent, its logs, edge), their memory by proportional set
size, which counts what they share once.`,
  async run(checkout, say) {
    const memory = row('memory of all Node processes', 'MiB', 600);
    const processor = row('a processor, of all Node processes', '%', 2);
    for (let round = 1; round <= ROUNDS; round++) {
      say(`round ${round} of ${ROUNDS}`);
      const before = ticksOf(checkout);
      await delay(SECONDS * 1000);
      const seconds = (ticksOf(checkout) - before) / TICKS_PER_SECOND;
      processor.figures.ours.push((100 * seconds) / SECONDS);
      memory.figures.ours.push(pssOf(checkout) / MIB);
    }
    return [memory, processor];
  },
};

function row(what: string, unit: string, figure: number): Comparison {
  return { what, peer: null, unit, better: 'lower', figures: new Figures(), target: { figure } };
}

/** Its Node processes: those that run the Node of its packages. */
function processesOf({ folder }: Checkout): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/exe`).startsWith(`${folder}/node_modules/`)
      );
    } catch {
      return false; // gone, or a thread of the kernel
    }
  });
}

/** Bytes. @see proc(5), smaps_rollup */
function pssOf(checkout: Checkout): number {
  const of = (pid: string) =>
    Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
  return 1024 * processesOf(checkout).reduce((sum, pid) => sum + of(pid), 0);
}

/** What they have taken of processors since they began. @see proc(5), stat: utime, stime */
function ticksOf(checkout: Checkout): number {
  return processesOf(checkout).reduce((sum, pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [utime, stime] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .map(Number);
    return sum + (utime ?? Number.NaN) + (stime ?? Number.NaN);
  }, 0);
}
