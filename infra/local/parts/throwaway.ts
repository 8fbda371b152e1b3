import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inheritedEnv, readEnv } from '../env.ts';
import { takeHold } from '../hold.ts';
import { type Instance, instanceOf } from '../instance.ts';
import { toolsForTests } from '../packages/for-tests.ts';
import { waitFor } from '../wait.ts';
import type { Part } from './part.ts';
import { postgresPart, postgresUrl } from './postgres.ts';
import { redisPart, redisSocketOf } from './redis.ts';

/** An engine in a temporary folder, for tests and tools; nothing of it is left at the end. */
export interface Throwaway extends AsyncDisposable {
  url: string;
}

/** An empty PostgreSQL. */
export async function startThrowawayPostgres(): Promise<Throwaway> {
  const tools = await toolsForTests(['postgres']);
  return start('postgres', postgresUrl, (instance) => postgresPart(instance, readEnv(), tools));
}

/** An empty Redis. */
export async function startThrowawayRedis(): Promise<Throwaway> {
  const tools = await toolsForTests(['redis']);
  return start('redis', redisSocketOf, (instance) => redisPart(instance, tools));
}

async function start(
  name: string,
  urlOf: (instance: Instance) => string,
  partOf: (instance: Instance) => Part,
): Promise<Throwaway> {
  const folder = await mkdtemp(join(tmpdir(), `slipway-${name}-`));
  const instance = instanceOf(folder);
  const hold = await takeHold(instance); // else a platform that starts meanwhile clears this away
  const part = partOf(instance);
  await part.prepare();
  const [program = '', ...args] = part.argv();
  const log = await open(join(folder, 'log'), 'a');
  const server = spawn(program, args, {
    stdio: ['ignore', log.fd, log.fd],
    env: { ...inheritedEnv(readEnv()), SLIPWAY_HOME: instance.stateDir },
  });
  const ended = once(server, 'exit');
  const end = async (): Promise<void> => {
    server.kill(part.stopSignal);
    await ended;
    await log.close();
    await rm(instance.runDir, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
    await hold?.release();
  };
  try {
    await waitFor(name, () => part.check().then(() => true), {
      timeoutMs: 60_000,
      giveUp: () => (server.exitCode === null ? null : readFileSync(join(folder, 'log'), 'utf8')),
    });
  } catch (error) {
    await end();
    throw error;
  }
  return { url: urlOf(instance), [Symbol.asyncDispose]: end };
}
