import { NestFactory } from '@nestjs/core';
import { urlOf } from '@slipway/process';
import { OpenRequests } from '../access/open-requests.ts';
import { AuditTrail } from '../audit/audit-trail.ts';
import type { RegistryEnv } from '../env.ts';
import { drained } from '../http/drained.ts';
import { createServer } from '../http/server.ts';
import { AbandonedPushes } from '../registry/abandoned-pushes.ts';
import { MetricsEndpoint } from '../registry/metrics.endpoint.ts';
import { sendOciError } from '../registry/oci-error.ts';
import { registryModule } from '../registry/registry.module.ts';
import { Registry } from '../registry/registry.ts';
import type { Core, RunningRole } from './role.ts';

/** A client that neither sends nor takes anything of a layer for so long is gone. */
const IDLE_MS = 120_000;

/** The image registry; it needs PostgreSQL and the blobs, and neither Redis nor the role `api`. */
export async function startRegistryRole(core: Core, env: RegistryEnv): Promise<RunningRole> {
  const server = createServer(core, {
    name: 'registry',
    readsJson: false,
    refuse: sendOciError,
    idleMs: IDLE_MS,
  });
  const app = await NestFactory.createApplicationContext(registryModule(core), {
    abortOnError: false,
    logger: false,
  });
  app.get(AuditTrail).watch(server.fastify, ['refused', 'failed']);
  app.get(MetricsEndpoint).serveOn(server.fastify);
  app.get(Registry).serveOn(server.fastify);
  await server.fastify.listen({ port: env.REGISTRY_PORT, host: env.REGISTRY_HOST });
  const abandoned = app.get(AbandonedPushes);
  abandoned.start();
  const openRequests = app.get(OpenRequests);
  openRequests.start();
  return {
    url: urlOf(server.fastify.server),
    async close() {
      await Promise.all([
        drained(server, () => server.fastify.close()),
        abandoned.close(),
        openRequests.close(),
      ]);
      await app.close();
    },
  };
}
