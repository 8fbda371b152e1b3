import { openDatabase } from '@slipway/db';
import type { Logger } from '@slipway/log';
import { openMetrics } from '@slipway/metrics';
import { DirectoryBlobStore } from './blobs/directory.blob-store.ts';
import type { Env } from './env.ts';
import { RequestDurations } from './http/request-durations.ts';
import { seed } from './operator/seed.store.ts';
import { startApiRole } from './roles/api.role.ts';
import { startRegistryRole } from './roles/registry.role.ts';

export interface RunningApi {
  /** REST, `http://127.0.0.1:7700`; null without the role `api` */
  url: string | null;
  /** `http://127.0.0.1:7750`; null without the role `registry` */
  registryUrl: string | null;
  close(): Promise<void>;
}

/** Resolves when the ports of its roles answer. The database has its migrations already. */
export async function startApi({ shared, api, registry }: Env, log: Logger): Promise<RunningApi> {
  const database = openDatabase(shared.DATABASE_URL.reveal());
  const blobs = await DirectoryBlobStore.at(shared.BLOBS_DIR);
  if (shared.OPERATOR_TOKEN !== undefined) await seed(database, shared.OPERATOR_TOKEN);
  const metrics = openMetrics();
  const requests = new RequestDurations(metrics);
  const organizationLimits = {
    containers: shared.QUOTA_CONTAINERS,
    cpus: shared.QUOTA_CPUS,
    memoryBytes: shared.QUOTA_MEMORY_BYTES,
    concurrentBuilds: shared.QUOTA_CONCURRENT_BUILDS,
    queuedBuilds: shared.QUOTA_QUEUED_BUILDS,
    imageBytes: shared.QUOTA_IMAGE_BYTES,
  };
  const core = {
    ...{ log, metrics, requests, database, blobs, organizationLimits },
    secretKey: shared.SECRET_KEY,
  };
  const rest = api && (await startApiRole(core, { ...shared, ...api }));
  const images = registry && (await startRegistryRole(core, registry));
  const urls = { url: rest?.url ?? null, registryUrl: images?.url ?? null };
  log.info(urls, 'listening');
  return {
    ...urls,
    async close() {
      await Promise.all([rest?.close(), images?.close()]);
      await database.close();
    },
  };
}
