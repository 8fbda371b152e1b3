import { CONTAINER_CALLS } from '@slipway/contracts';
import { serveCalls } from '@slipway/rpc';
import type { FastifyInstance } from 'fastify';
import type { Containerd } from '../containerd/containerd.ts';
import { refuse } from '../door.ts';
import { begunRunOf } from './labels.ts';

/** Sends signals to programs: at once and at most once, unlike what goes over the queue. */
export function serveSignals(door: FastifyInstance, { containers, tasks }: Containerd): void {
  serveCalls(
    door,
    CONTAINER_CALLS,
    {
      async signalContainer({ engineId, generation, signal }) {
        const [record, task] = await Promise.all([containers.get(engineId), tasks.get(engineId)]);
        const isIt = begunRunOf(record).generation === generation && task?.status === 'RUNNING';
        return { isSent: isIt && (await tasks.kill(engineId, signal)) };
      },
    },
    refuse,
  );
}
