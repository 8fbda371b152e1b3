import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { openDatabase } from '@slipway/db';
import type { Logger } from '@slipway/log';
import { appModule } from './app.module.ts';
import type { Env } from './env.ts';
import { createServer, type Traffic } from './http/server.ts';
import { buildOpenApiDocument } from './openapi/document.ts';
import { publishDocument } from './openapi/published.ts';
import { seedOperator } from './operator/seed.store.ts';

export interface RunningApi {
  /** `http://127.0.0.1:7700` */
  url: string;
  close(): Promise<void>;
}

/** How long a stop waits for requests under way. */
const DRAIN_MS = 5_000;

/** Resolves when the port answers. The database has its migrations already. */
export async function startApi(env: Env, log: Logger): Promise<RunningApi> {
  const database = openDatabase(env.DATABASE_URL.reveal());
  if (env.OPERATOR_TOKEN !== undefined) await seedOperator(database, env.OPERATOR_TOKEN);
  const { adapter, traffic } = createServer(log);
  const checksAnswers = env.NODE_ENV === 'test';
  const app = await NestFactory.create<NestFastifyApplication>(
    appModule({ log, database, partsFile: env.PARTS_FILE ?? null }, { checksAnswers }),
    adapter,
    { bodyParser: false, abortOnError: false, logger: false },
  );
  publishDocument(buildOpenApiDocument());
  await app.listen(env.API_PORT, env.API_HOST);
  const url = urlOf(app.getHttpServer().address());
  log.info({ url }, 'listening');
  return {
    url,
    async close() {
      await closeServer(app, traffic);
      await database.close();
    },
  };
}

/** Lets requests end, at most for `DRAIN_MS`; connections without one are not waited for. */
async function closeServer(app: NestFastifyApplication, traffic: Traffic): Promise<void> {
  const server = app.getHttpServer();
  const deadlineMs = Date.now() + DRAIN_MS;
  const timer = setInterval(() => {
    if (traffic.inFlight() === 0) server.closeAllConnections();
    if (Date.now() > deadlineMs) traffic.cutAll();
  }, 50);
  await app.close().finally(() => clearInterval(timer));
}

function urlOf(address: string | AddressInfo | null): string {
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
