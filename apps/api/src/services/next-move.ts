import type { ContainerState, DeployState } from '@slipway/lifecycle';
import type { DeployReason, PhaseName } from './deploy.schema.ts';

/** A node that does not come, a registry that does not answer: nothing is waited for longer. */
const STARTED_WITHIN_MS = 10 * 60_000;

/** Nobody tells that Redis is back. */
const PUBLISHED_WITHIN_MS = 1_000;

/** A deploy that is not over, as it is now. */
export interface DeployView {
  state: DeployState;
  createdAt: Date;
  /** how long after its start its instance may be unhealthy */
  healthTimeoutMs: number;
  instance: InstanceView | null;
  /** its service's requests are to go there; then whether edges can know it */
  isServing: boolean;
  isPublished: boolean;
}

/** Its container. */
export interface InstanceView {
  name: string;
  state: ContainerState;
  reason: string | null;
  message: string | null;
  /** its image was on its node */
  pulledAt: Date | null;
  startedAt: Date | null;
  readyAt: Date | null;
  /** what was in the way when it was probed last */
  unready: string | null;
}

export type Move =
  /** give it a container, or when there is no node until then, fail */
  | { type: 'place'; until: Date }
  /** nothing to do but to look again then */
  | { type: 'wait'; phase: PhaseName; until: Date }
  | { type: 'serve' }
  | { type: 'succeed' }
  | { type: 'fail'; reason: DeployReason; message: string };

export function nextMove(deploy: DeployView, now: Date): Move {
  const { instance, healthTimeoutMs } = deploy;
  if (deploy.isServing) {
    if (deploy.isPublished) return { type: 'succeed' };
    return { type: 'wait', phase: 'route', until: later(now, PUBLISHED_WITHIN_MS) };
  }
  const startBy = later(deploy.createdAt, STARTED_WITHIN_MS);
  if (deploy.state === 'queued') {
    if (now < startBy) return { type: 'place', until: startBy };
    return fail('not-placed', 'No node has joined that could run it.');
  }
  if (instance === null) return fail('instance-ended', 'Its container is gone.');
  const { name, state, pulledAt, startedAt, readyAt, unready } = instance;
  switch (state) {
    case 'pending':
    case 'created': {
      const phase = pulledAt === null ? 'pull' : 'start';
      if (now < startBy) return { type: 'wait', phase, until: startBy };
      const late =
        phase === 'pull'
          ? `The image of the container "${name}" did not come to its node within 10 minutes.`
          : `The container "${name}" did not start within 10 minutes.`;
      return fail('not-started', late);
    }
    case 'running': {
      if (readyAt !== null) return { type: 'serve' };
      const until = later(startedAt ?? now, healthTimeoutMs);
      if (now < until) return { type: 'wait', phase: 'healthy', until };
      const why = unready ?? 'its node has not told of it.';
      return fail('unhealthy', `Not healthy within ${healthTimeoutMs / 1000} s: ${why}`);
    }
    default: {
      const why = instance.message ?? 'Its program ended with exit code 0.';
      return fail('instance-ended', `The container "${name}" ended before it was healthy: ${why}`);
    }
  }
}

function fail(reason: DeployReason, message: string): Move {
  return { type: 'fail', reason, message };
}

function later(time: Date, ms: number): Date {
  return new Date(time.getTime() + ms);
}
