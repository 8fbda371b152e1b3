import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { banner } from '../banner.ts';
import { terminal } from '../bootstrap/terminal.mjs';
import { readEnv } from '../env.ts';
import { takeHold } from '../hold.ts';
import type { Instance } from '../instance.ts';
import { SupervisorMessageSchema } from '../messages.ts';
import { RESTING_ALLOCATOR } from '../parts/node-process.ts';
import { type Endpoints, readEndpoints } from '../records.ts';
import { waitFor } from '../wait.ts';

const OTHER_START_WITHIN_MS = 30 * 60_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Starts the platform and stays until it ends; with `--detach` returns when everything is up. */
export async function start(instance: Instance, args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => arg !== '--detach');
  if (unknown !== undefined) {
    console.error(`npm start takes no "${unknown}". Usage: npm start [-- --detach]`);
    return 2;
  }
  readEnv(); // says what is wrong with it here, not in the supervisor's log
  const isDetached = args.includes('--detach');
  const supervisor = spawnSupervisor(instance, args);
  // run.mjs and the terminal may both send it; once is enough, and the supervisor says when it is done.
  const passOn = (): boolean => supervisor.kill('SIGTERM');
  for (const signal of SIGNALS) process.on(signal, passOn);
  const outcome = await outcomeOf(supervisor);
  switch (outcome.type) {
    case 'taken':
      return (await showRunning(instance)) ? 0 : await start(instance, args);
    case 'failed':
      await ended(supervisor);
      throw new Error(outcome.message);
    case 'ended':
      // also what a signal during the start leads to, with 0
      if (outcome.code !== 0) console.error('It ended. See .slipway/logs/supervisor.log.');
      return outcome.code;
    case 'ready': {
      const endpoints = readEndpoints(instance);
      if (endpoints !== null) console.log(banner(endpoints, { isDetached }));
      if (!isDetached) return await ended(supervisor);
      supervisor.disconnect();
      supervisor.unref();
      return 0;
    }
  }
}

function spawnSupervisor({ stateDir }: Instance, args: readonly string[]): ChildProcess {
  mkdirSync(join(stateDir, 'logs'), { recursive: true });
  const log = openSync(join(stateDir, 'logs', 'supervisor.log'), 'a');
  const file = join(import.meta.dirname, '../supervisor.ts');
  const child = spawn(process.execPath, [file, ...args], {
    stdio: ['ignore', log, log, 'ipc'],
    detached: true,
    env: { ...process.env, ...RESTING_ALLOCATOR, SLIPWAY_HOME: stateDir },
  });
  closeSync(log);
  return child;
}

type Outcome =
  | { type: 'ready' }
  | { type: 'taken' }
  | { type: 'failed'; message: string }
  | { type: 'ended'; code: number };

function outcomeOf(supervisor: ChildProcess): Promise<Outcome> {
  return new Promise((done) => {
    let isHeld = false;
    supervisor.on('message', (raw) => {
      const message = SupervisorMessageSchema.parse(raw);
      if ('text' in message) terminal[message.type](message.text);
      else if (message.type === 'held') isHeld = true;
      else done(message);
    });
    supervisor.once('exit', (code, signal) => {
      // Whoever has the instance clears what bears its name: also one that had not asked yet.
      const isCleared = !isHeld && signal === 'SIGKILL';
      done(isCleared ? { type: 'taken' } : { type: 'ended', code: code ?? 1 });
    });
  });
}

async function ended(supervisor: ChildProcess): Promise<number> {
  if (supervisor.exitCode === null && supervisor.signalCode === null)
    await once(supervisor, 'exit');
  return supervisor.exitCode ?? 1;
}

/** @returns false when it was another start that failed, or a stop */
async function showRunning(instance: Instance): Promise<boolean> {
  const found = await waitFor<Endpoints | 'gone'>(
    'the other start or stop of this checkout',
    async () => {
      const endpoints = readEndpoints(instance);
      if (endpoints !== null) return endpoints;
      const hold = await takeHold(instance);
      await hold?.release();
      return hold === null ? null : 'gone';
    },
    { timeoutMs: OTHER_START_WITHIN_MS },
  );
  if (found === 'gone') return false;
  console.log('Slipway runs already.');
  console.log(banner(found, { isDetached: true }));
  return true;
}
