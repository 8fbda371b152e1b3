import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inheritedEnv, readEnv } from '../env.ts';
import { takeHold } from '../hold.ts';
import { instanceOf } from '../instance.ts';
import { toolsForTests } from '../packages/for-tests.ts';
import { waitFor } from '../wait.ts';
import { postgresPart, postgresUrl } from './postgres.ts';

/** An empty PostgreSQL in a temporary folder, for tests and tools; nothing of it is left at the end. */
export async function startThrowawayPostgres(): Promise<{ url: string } & AsyncDisposable> {
  const env = readEnv();
  const tools = await toolsForTests(['postgres']);
  const folder = await mkdtemp(join(tmpdir(), 'slipway-postgres-'));
  const instance = instanceOf(folder);
  const hold = await takeHold(instance); // else a platform that starts meanwhile clears this away
  const part = postgresPart(instance, env, tools);
  await part.prepare();
  const [program = '', ...args] = part.argv();
  const log = await open(join(folder, 'log'), 'a');
  const server = spawn(program, args, {
    stdio: ['ignore', log.fd, log.fd],
    env: { ...inheritedEnv(env), SLIPWAY_HOME: instance.stateDir },
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
    await waitFor('PostgreSQL', () => part.check().then(() => true), {
      timeoutMs: 60_000,
      giveUp: () => (server.exitCode === null ? null : readFileSync(join(folder, 'log'), 'utf8')),
    });
  } catch (error) {
    await end();
    throw error;
  }
  return { url: postgresUrl(instance), [Symbol.asyncDispose]: end };
}
