import { join } from 'node:path';
import type { Ports } from '../claim.ts';
import type { Instance } from '../instance.ts';
import { nodeProcess } from './node-process.ts';
import type { Part } from './part.ts';
import { redisSocketOf } from './redis.ts';

export interface ApiSettings {
  ports: Ports;
  databaseUrl: string;
  operatorToken: string;
  secretKey: string;
  /** where the supervisor says which parts are up */
  partsFile: string;
}

/** Where the API listens for agents. */
export function apiSocketOf({ runDir }: Instance): string {
  return join(runDir, 'api.sock');
}

export function apiPart(instance: Instance, settings: ApiSettings): Part {
  const { checkout, stateDir } = instance;
  return {
    name: 'api',
    ...nodeProcess(join(checkout, 'apps/api/dist/main.mjs'), {
      API_PORT: String(settings.ports.api),
      REGISTRY_PORT: String(settings.ports.registry),
      SERVICES_URL: `http://localhost:${settings.ports.edge}`,
      BLOBS_DIR: join(stateDir, 'blobs'),
      AGENT_SOCKET: apiSocketOf(instance),
      REDIS_URL: redisSocketOf(instance),
      DATABASE_URL: settings.databaseUrl,
      SECRET_KEY: settings.secretKey,
      OPERATOR_TOKEN: settings.operatorToken,
      PARTS_FILE: settings.partsFile,
    }),
    async check() {
      const answer = await fetch(`http://127.0.0.1:${settings.ports.api}/v1/openapi.json`, {
        signal: AbortSignal.timeout(5_000),
      });
      if (!answer.ok) throw new Error(`the API answers ${answer.status}`);
      await answer.body?.cancel();
    },
  };
}
