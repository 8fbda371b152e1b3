import { once } from 'node:events';
import type { Logger } from '@slipway/log';
import { urlOf } from '@slipway/process';
import { RouteTable } from '@slipway/routes';
import { AccessLog } from './access-log.ts';
import type { Env } from './env.ts';
import { Instances } from './instances/instances.ts';
import { UnderWay } from './instances/under-way.ts';
import { LIMITS } from './limits.ts';
import { Forwarder } from './proxy/forwarder.ts';
import { Reports } from './reports.ts';
import { Served } from './served.ts';
import { Listener } from './server/listener.ts';

export interface RunningEdge {
  /** `http://127.0.0.1:7780` */
  url: string;
  close(): Promise<void>;
}

/** Resolves when the port answers; that is not before all routes are known. */
export async function startEdge(env: Env, log: Logger, limits = LIMITS): Promise<RunningEdge> {
  const table = await RouteTable.open(env.REDIS_URL);
  const underWay = new UnderWay();
  const reports = new Reports({ table, underWay, log });
  const served = new Served(table, log);
  const instances = new Instances(limits, underWay);
  const accessLog = new AccessLog(log);
  const forwarder = new Forwarder({ table, instances, underWay, served, accessLog, log });
  const listener = new Listener(
    (request, response, head) => forwarder.serve(request, response, head),
    accessLog,
  );
  const close = async (): Promise<void> => {
    await Promise.all([served.close(), table.close(), reports.close(), instances.close()]);
  };
  try {
    listener.server.listen(env.EDGE_PORT, env.EDGE_HOST);
    await once(listener.server, 'listening');
  } catch (error) {
    await close();
    throw error;
  }
  const url = urlOf(listener.server);
  log.info({ url }, 'listening');
  return {
    url,
    async close() {
      await listener.drain(limits.drainMs);
      await close();
    },
  };
}
