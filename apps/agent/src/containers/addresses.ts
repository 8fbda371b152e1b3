import { AGENT_CALLS } from '@slipway/contracts';
import { serveCalls } from '@slipway/rpc';
import type { FastifyInstance } from 'fastify';
import type { Containerd } from '../containerd/containerd.ts';
import { refuse } from '../door.ts';
import type { Endpoint } from '../network/names.ts';
import { endpointOf } from './labels.ts';

/** Tells edges where a container is, by what the engine knows alone. */
export function serveAddresses(door: FastifyInstance, { containers, tasks }: Containerd): void {
  serveCalls(
    door,
    AGENT_CALLS,
    {
      async containerAddress({ engineId }) {
        const [record, task] = await Promise.all([containers.get(engineId), tasks.get(engineId)]);
        const isRunning = record !== null && task?.status === 'RUNNING';
        return { address: isRunning ? (endpointOf(record)?.address ?? null) : null };
      },
    },
    refuse,
  );
}

/** Those of all runs that have not been cleared. */
export async function endpointsOf({ containers, tasks }: Containerd): Promise<Endpoint[]> {
  const [records, running] = await Promise.all([containers.list(), tasks.list()]);
  return records.filter(({ id }) => running.has(id)).flatMap((record) => endpointOf(record) ?? []);
}
