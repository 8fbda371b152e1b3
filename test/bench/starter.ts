import pLimit from 'p-limit';

/** One way to run containers, all of the same image with the same program. */
export interface Starter {
  /** Resolves when its program has begun. */
  start(): Promise<Started>;
  /** Ends it, and resolves when nothing of it is left. */
  remove(engineId: string): Promise<void>;
}

export interface Started {
  engineId: string;
  /** from the asking to the program's begin */
  ms: number;
}

export const IMAGE = 'busybox';
/** Lasts until it is removed. */
export const COMMAND = ['sleep', '86400'];

export async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const begun = performance.now();
  const result = await work();
  return { ms: performance.now() - begun, result };
}

/** Starts one after the other by each in turn, and removes it: what else the machine does is the same for all. */
export async function startsInTurn<Name extends string>(
  starters: Record<Name, Starter>,
  count: number,
): Promise<Record<Name, Started[]>> {
  const names = Object.keys(starters) as Name[];
  const none = names.map((name): [Name, Started[]] => [name, []]);
  const all = Object.fromEntries(none) as Record<Name, Started[]>;
  for (let done = 0; done < count; done++) {
    for (const name of done % 2 === 0 ? names : names.toReversed()) {
      const started = await starters[name].start();
      await starters[name].remove(started.engineId);
      all[name].push(started);
    }
  }
  return all;
}

export interface Cycles {
  count: number;
  sideBySide: number;
}

/** How many are started and removed in a second. */
export async function cyclesPerSecond(
  { start, remove }: Starter,
  { count, sideBySide }: Cycles,
): Promise<number> {
  const turn = pLimit(sideBySide);
  const cycle = async (): Promise<void> => remove((await start()).engineId);
  const all = Array.from({ length: count }, () => turn(cycle));
  const { ms } = await timed(() => Promise.all(all));
  return (count * 1000) / ms;
}
