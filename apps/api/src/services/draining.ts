import type { EdgeReport } from '@slipway/contracts';

/** How long what is under way to an instance may take after another has its place. */
const DRAIN_MS = 30_000;

/** An instance that is to get no requests any more. */
export interface Leaving {
  engineId: string;
  /** of the route that no longer leads to it */
  routeVersion: number;
  since: Date;
}

/** What is known of routes outside of the database. */
export interface Published {
  /** edges can have them up to this one */
  version: number;
  /** those that live */
  edges: readonly EdgeReport[];
}

/**
 * No edge sends it anything any more, and nothing is under way; or that was waited for long enough.
 * Never while no edge can know of what has its place: all of them still need it.
 */
export function isDrained(
  { engineId, routeVersion, since }: Leaving,
  { version, edges }: Published,
  now: Date,
): boolean {
  if (version < routeVersion) return false;
  if (now.getTime() - since.getTime() >= DRAIN_MS) return true;
  const hasLeft = (edge: EdgeReport): boolean =>
    edge.version >= routeVersion && !edge.leaving.includes(engineId);
  return edges.length > 0 && edges.every(hasLeft);
}
