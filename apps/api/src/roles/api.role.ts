import { rm } from 'node:fs/promises';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Notifications } from '@slipway/db';
import { urlOf } from '@slipway/process';
import { Queues } from '@slipway/queue';
import { RoutePublisher } from '@slipway/routes';
import { Connections } from '@slipway/rpc';
import { OpenRequests } from '../access/open-requests.ts';
import { Guesses } from '../accounts/guesses.ts';
import { AgentDoor } from '../agents/agent-door.ts';
import { appModule } from '../app.module.ts';
import { AuditSealer } from '../audit/audit-sealer.ts';
import { AuditTrail } from '../audit/audit-trail.ts';
import { BuildLogArchive } from '../builds/build-log-archive.ts';
import { Restarts } from '../containers/restarts.ts';
import { Dispatcher } from '../dispatch/dispatcher.ts';
import type { ApiEnv, SharedEnv } from '../env.ts';
import { drained } from '../http/drained.ts';
import { sendProblem } from '../http/problem.filter.ts';
import { createServer } from '../http/server.ts';
import { buildOpenApiDocument } from '../openapi/document.ts';
import { publishDocument } from '../openapi/published.ts';
import { RouteFeed } from '../routing/route-feed.ts';
import { DeployRunner } from '../services/deploy-runner.ts';
import { ServedMeter } from '../usage/served-meter.ts';
import { StoredMeter } from '../usage/stored-meter.ts';
import type { Core, RunningRole } from './role.ts';

/** REST, what agents call, and what the platform does by itself. Resolves when both listen. */
export async function startApiRole(core: Core, env: SharedEnv & ApiEnv): Promise<RunningRole> {
  const ofServers = { readsJson: true, refuse: sendProblem };
  const rest = createServer(core, { name: 'rest', ...ofServers });
  const agents = createServer(core, { name: 'agents', ...ofServers });
  const notifications = new Notifications(env.DATABASE_URL.reveal());
  const queues = new Queues(env.REDIS_URL);
  const routePublisher = new RoutePublisher(env.REDIS_URL);
  const guesses = new Guesses(env.REDIS_URL);
  const { PARTS_FILE: partsFile = null, SIGN_UP: signUp } = env;
  const urls = { apiUrl: env.API_URL, servicesUrl: env.SERVICES_URL };
  const app = await NestFactory.create<NestFastifyApplication>(
    appModule(
      {
        ...{ ...core, ...urls, notifications, queues, routePublisher, partsFile },
        ...{ signUp, guesses },
      },
      { checksAnswers: env.NODE_ENV === 'test' },
    ),
    rest.adapter,
    { bodyParser: false, abortOnError: false, logger: false },
  );
  app.get(AuditTrail).watch(rest.fastify, ['unchanged', 'refused', 'failed']);
  publishDocument(buildOpenApiDocument());
  await app.listen(env.API_PORT, env.API_HOST);
  app.get(AgentDoor).serveOn(agents.fastify);
  await rm(env.AGENT_SOCKET, { force: true });
  await agents.fastify.listen({ path: env.AGENT_SOCKET });
  const loops = [
    ...[Dispatcher, DeployRunner, Restarts, RouteFeed, BuildLogArchive, AuditSealer],
    ...[StoredMeter, ServedMeter],
  ].map((part) => app.get(part).loop);
  for (const loop of loops) loop.start();
  const openRequests = app.get(OpenRequests);
  openRequests.start();
  return {
    url: urlOf(rest.fastify.server),
    async close() {
      await Promise.all([
        drained(rest, () => app.close()),
        drained(agents, () => agents.fastify.close()),
        ...loops.map((loop) => loop.close()),
        openRequests.close(),
      ]);
      await app.get(Connections).close();
      await queues.close();
      routePublisher.close();
      guesses.close();
      await notifications.close();
    },
  };
}
