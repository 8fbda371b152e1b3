import { join } from 'node:path';
import { migrate } from '@slipway/db/migrate';
import type { Ports } from '../claim.ts';
import type { Env } from '../env.ts';
import type { Instance } from '../instance.ts';
import type { Progress } from '../progress.ts';
import { nodeProcess } from './node-process.ts';
import type { Part } from './part.ts';
import { postgresUrl } from './postgres.ts';
import { redisSocketOf } from './redis.ts';

export interface ApiSettings {
  ports: Ports;
  operatorToken: string;
  secretKey: string;
  /** where the supervisor says which parts are up */
  partsFile: string;
}

/** Where the API listens for agents. */
export function apiSocketOf({ runDir }: Instance): string {
  return join(runDir, 'api.sock');
}

/** It brings its database to the schema that it knows before it starts. */
export function apiPart(
  instance: Instance,
  settings: ApiSettings,
  { env, progress }: { env: Env; progress: Progress },
): Part {
  const { checkout, stateDir } = instance;
  const databaseUrl = env.DATABASE_URL ?? postgresUrl(instance);
  return {
    name: 'api',
    needs: ['postgres', 'redis'],
    ...nodeProcess(join(checkout, 'apps/api/dist/main.mjs'), {
      API_PORT: String(settings.ports.api),
      REGISTRY_PORT: String(settings.ports.registry),
      API_URL: `http://127.0.0.1:${settings.ports.api}`,
      SERVICES_URL: `http://localhost:${settings.ports.edge}`,
      BLOBS_DIR: join(stateDir, 'blobs'),
      AGENT_SOCKET: apiSocketOf(instance),
      REDIS_URL: redisSocketOf(instance),
      DATABASE_URL: databaseUrl,
      SECRET_KEY: settings.secretKey,
      OPERATOR_TOKEN: settings.operatorToken,
      SIGN_UP: env.SIGN_UP,
      PARTS_FILE: settings.partsFile,
    }),
    async prepare() {
      const applied = await migrate(databaseUrl).catch((error: unknown) => {
        if (env.DATABASE_URL === undefined) throw error;
        const { message, code } = error as NodeJS.ErrnoException;
        throw new Error(`The database of DATABASE_URL cannot be used: ${message || code}`);
      });
      if (applied.length > 0) progress.line(`✔ applied ${applied.length} migration(s)`);
    },
    async check() {
      const { api, registry } = settings.ports;
      await requireAnswer(`http://127.0.0.1:${api}/v1/openapi.json`, 200);
      await requireAnswer(`http://127.0.0.1:${registry}/v2/`, 401);
    },
  };
}

async function requireAnswer(url: string, status: number): Promise<void> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  await answer.body?.cancel();
  if (answer.status !== status) throw new Error(`${url} answers ${answer.status}`);
}
