import { join } from 'node:path';
import type { Ports } from '../claim.ts';
import type { Instance } from '../instance.ts';
import { nodeProcess } from './node-process.ts';
import type { Part } from './part.ts';
import { redisSocketOf } from './redis.ts';

/** Takes requests to services to their containers. */
export function edgePart(instance: Instance, { edge }: Ports): Part {
  return {
    name: 'edge',
    needs: ['redis'],
    ...nodeProcess(join(instance.checkout, 'apps/edge/dist/main.mjs'), {
      ...{ EDGE_PORT: String(edge), REDIS_URL: redisSocketOf(instance) },
    }),
    async check() {
      // It listens once it has its routes; no service has this host.
      const answer = await fetch(`http://127.0.0.1:${edge}/`, {
        signal: AbortSignal.timeout(5_000),
      });
      await answer.body?.cancel();
    },
  };
}
