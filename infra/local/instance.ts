import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { join } from 'node:path';

/**
 * One checkout's platform. All that it makes outside of `stateDir` carries `id` in its name, so that
 * several checkouts live beside each other and each can be taken down whole.
 */
export interface Instance {
  /** 6 hex digits of the checkout's path */
  id: string;
  /** absolute, without links */
  checkout: string;
  /** data, secrets, logs: `<checkout>/.slipway`; what its processes have as SLIPWAY_HOME */
  stateDir: string;
  /** sockets and mount points: short (a socket's path ends at 107 bytes) and gone after a stop */
  runDir: string;
}

/**
 * A link to `stateDir` in the run folder, for who puts paths into lists: a `,` parts the options of
 * a mount, and a checkout's path may have one.
 */
export function stateLinkOf({ runDir }: Pick<Instance, 'runDir'>): string {
  return join(runDir, 'state');
}

export function instanceOf(folder: string): Instance {
  const checkout = realpathSync(folder);
  const id = createHash('sha256').update(checkout).digest('hex').slice(0, 6);
  return { id, checkout, stateDir: join(checkout, '.slipway'), runDir: `/run/slipway/${id}` };
}

/**
 * The unprivileged user that PostgreSQL runs as. It needs no line in /etc/passwd (parts/confined.ts)
 * and differs between instances.
 */
export function serviceUidOf({ id }: Instance): number {
  return 50_000 + (Number.parseInt(id, 16) % 8_000);
}
