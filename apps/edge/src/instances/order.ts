import type { Instance } from '@slipway/contracts';

/**
 * In which order instances are tried: those with the least under way first, equals in turns.
 * @param turn grows with each request
 */
export function inOrder(
  instances: readonly Instance[],
  underWay: (instance: Instance) => number,
  turn: number,
): Instance[] {
  const start = turn % Math.max(instances.length, 1);
  return [...instances.slice(start), ...instances.slice(0, start)].toSorted(
    (one, other) => underWay(one) - underWay(other),
  );
}
