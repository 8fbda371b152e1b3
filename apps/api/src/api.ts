import { rm } from 'node:fs/promises';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Notifications, openDatabase } from '@slipway/db';
import type { Logger } from '@slipway/log';
import { urlOf } from '@slipway/process';
import { Queues } from '@slipway/queue';
import { RoutePublisher } from '@slipway/routes';
import { Connections } from '@slipway/rpc';
import { AgentDoor } from './agents/agent-door.ts';
import { appModule } from './app.module.ts';
import { DirectoryBlobStore } from './blobs/directory.blob-store.ts';
import { Restarts } from './containers/restarts.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import type { Env } from './env.ts';
import { sendProblem } from './http/problem.filter.ts';
import { createServer, type Server } from './http/server.ts';
import { buildOpenApiDocument } from './openapi/document.ts';
import { publishDocument } from './openapi/published.ts';
import { seed } from './operator/seed.store.ts';
import { sendOciError } from './registry/oci-error.ts';
import { Registry } from './registry/registry.ts';
import { RouteFeed } from './routing/route-feed.ts';
import { DeployRunner } from './services/deploy-runner.ts';

export interface RunningApi {
  /** `http://127.0.0.1:7700` */
  url: string;
  /** `http://127.0.0.1:7750` */
  registryUrl: string;
  close(): Promise<void>;
}

/** How long a stop waits for requests under way. */
const DRAIN_MS = 5_000;
/** A client that neither sends nor takes anything of a layer for so long is gone. */
const REGISTRY_IDLE_MS = 120_000;

/** Resolves when the ports answer. The database has its migrations already. */
export async function startApi(env: Env, log: Logger): Promise<RunningApi> {
  const database = openDatabase(env.DATABASE_URL.reveal());
  const blobs = await DirectoryBlobStore.at(env.BLOBS_DIR);
  if (env.OPERATOR_TOKEN !== undefined) await seed(database, env.OPERATOR_TOKEN);
  const rest = createServer(log, { readsJson: true, refuse: sendProblem });
  const registry = createServer(log, {
    readsJson: false,
    refuse: sendOciError,
    idleMs: REGISTRY_IDLE_MS,
  });
  const agents = createServer(log, { readsJson: true, refuse: sendProblem });
  const notifications = new Notifications(env.DATABASE_URL.reveal());
  const queues = new Queues(env.REDIS_URL);
  const routePublisher = new RoutePublisher(env.REDIS_URL);
  const { SECRET_KEY: secretKey, PARTS_FILE: partsFile = null, SERVICES_URL: servicesUrl } = env;
  const app = await NestFactory.create<NestFastifyApplication>(
    appModule(
      {
        ...{ log, database, blobs, notifications, queues, routePublisher },
        ...{ secretKey, partsFile, servicesUrl },
      },
      { checksAnswers: env.NODE_ENV === 'test' },
    ),
    rest.adapter,
    { bodyParser: false, abortOnError: false, logger: false },
  );
  publishDocument(buildOpenApiDocument());
  await app.listen(env.API_PORT, env.API_HOST);
  app.get(Registry).serveOn(registry.fastify);
  await registry.fastify.listen({ port: env.REGISTRY_PORT, host: env.REGISTRY_HOST });
  app.get(AgentDoor).serveOn(agents.fastify);
  await rm(env.AGENT_SOCKET, { force: true });
  await agents.fastify.listen({ path: env.AGENT_SOCKET });
  const loops = [Dispatcher, DeployRunner, Restarts, RouteFeed].map((part) => app.get(part).loop);
  for (const loop of loops) loop.start();
  const url = urlOf(rest.fastify.server);
  const registryUrl = urlOf(registry.fastify.server);
  log.info({ url, registryUrl }, 'listening');
  return {
    url,
    registryUrl,
    async close() {
      await Promise.all([
        drained(rest, () => app.close()),
        drained(registry, () => registry.fastify.close()),
        drained(agents, () => agents.fastify.close()),
        ...loops.map((loop) => loop.close()),
      ]);
      await app.get(Connections).close();
      await queues.close();
      routePublisher.close();
      await notifications.close();
      await database.close();
    },
  };
}

/** Lets requests end, at most for `DRAIN_MS`; connections without one are not waited for. */
async function drained(
  { fastify, traffic }: Server,
  close: () => PromiseLike<unknown>,
): Promise<void> {
  const deadlineMs = Date.now() + DRAIN_MS;
  const timer = setInterval(() => {
    if (traffic.inFlight() === 0) fastify.server.closeAllConnections();
    if (Date.now() > deadlineMs) traffic.cutAll();
  }, 50);
  try {
    await close();
  } finally {
    clearInterval(timer);
  }
}
