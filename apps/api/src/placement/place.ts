import { ANNOUNCE_EVERY_MS } from '@slipway/contracts';

/** A node that a container may be placed on. */
export interface Candidate {
  id: string;
  /** when it said last that it lives */
  seenAt: Date;
  /** those that are to run on it */
  containerCount: number;
}

/** Two announcements may get lost. */
const READY_FOR_MS = 3 * ANNOUNCE_EVERY_MS;

/**
 * Where a container goes: of the nodes that are ready the one with the fewest, else the one that was
 * seen last, whose agent will find it when it is back.
 * @returns the node's id; null when there is none
 */
export function place(nodes: readonly Candidate[], now: Date): string | null {
  const isReady = ({ seenAt }: Candidate) => now.getTime() - seenAt.getTime() <= READY_FOR_MS;
  const [best] = nodes.toSorted((a, b) => {
    if (isReady(a) !== isReady(b)) return isReady(a) ? -1 : 1;
    if (!isReady(a)) return b.seenAt.getTime() - a.seenAt.getTime();
    return a.containerCount - b.containerCount || (a.id < b.id ? -1 : 1);
  });
  return best?.id ?? null;
}
