import type { Instance } from '@slipway/contracts';

/** A container may be the instance of several services, each at a port of its own. */
export function keyOf({ node, engineId, port }: Instance): string {
  return `${node} ${engineId} ${port}`;
}
