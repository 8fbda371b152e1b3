import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, test, vi } from 'vitest';
import { inheritedEnv, readEnv } from '../env.ts';
import { takeHold } from '../hold.ts';
import { instanceOf } from '../instance.ts';
import { Keeper } from '../keeper.ts';
import { toolsForTests } from '../packages/for-tests.ts';
import { reap } from '../reaper/reaper.ts';
import { postgresPart, postgresUrl } from './postgres.ts';

const WITHIN = { timeout: 60_000, interval: 50 };

test('a killed server is followed by another, also when one of its processes does not end', async () => {
  const tools = await toolsForTests(['postgres', 'ip', 'nft']);
  const instance = instanceOf(await mkdtemp(join(tmpdir(), 'slipway-postgres-')));
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(() => rm(instance.checkout, { recursive: true }));
  cleanUp.defer(async () => void (await reap(instance, tools)));
  const hold = await takeHold(instance);
  cleanUp.defer(async () => hold?.release());
  const keeper = new Keeper(postgresPart(instance, readEnv(), tools), [], {
    logFile: join(instance.checkout, 'log'),
    env: { ...inheritedEnv(readEnv()), SLIPWAY_HOME: instance.stateDir },
    onChange: () => {},
    say: () => {},
  });
  await keeper.start();
  cleanUp.defer(() => keeper.stop());
  const asked = async (query: string): Promise<number> => {
    const client = new pg.Client(postgresUrl(instance));
    client.on('error', () => {}); // its server is killed
    await client.connect();
    cleanUp.defer(() => client.end());
    return (await client.query(query)).rows[0].pid;
  };
  const [server, stopped] = [keeper.process?.pid ?? 0, await asked('SELECT pg_backend_pid() pid')];
  process.kill(stopped, 'SIGSTOP');
  process.kill(server, 'SIGKILL');
  await vi.waitFor(() => expect(keeper.process?.pid ?? server).not.toBe(server), WITHIN);
  await vi.waitFor(() => expect(keeper.isUp).toBe(true), WITHIN);
  expect(await asked('SELECT pg_backend_pid() pid')).not.toBe(stopped);
});
