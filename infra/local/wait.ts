import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks until the answer is not null. A check that throws counts as "not yet"; what it threw last
 * is the cause of the failure.
 */
export async function waitFor<T>(
  what: string,
  check: () => Promise<T | null> | T | null,
  options: { timeoutMs: number; everyMs?: number; giveUp?: () => string | null },
): Promise<T> {
  const deadline = performance.now() + options.timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await check();
      if (answer !== null) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    const lost = options.giveUp?.();
    if (lost) throw new Error(`${what}: ${lost}`, { cause: last });
    if (performance.now() > deadline) {
      const reason = last instanceof Error ? ` (${last.message})` : '';
      const seconds = Math.round(options.timeoutMs / 1000);
      throw new Error(`${what}: not within ${seconds} s${reason}`, { cause: last });
    }
    await delay(options.everyMs ?? 50);
  }
}
