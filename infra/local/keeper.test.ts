import { existsSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Keeper } from './keeper.ts';
import type { Part } from './parts/part.ts';
import { startTimeOf } from './process.ts';

const WAIT = { timeout: 30_000 };
let folder: string;
let keeper: Keeper | null = null;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-keeper-'));
});
afterEach(async () => {
  await keeper?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A shell script as a part; it answers once it has made the file `ready`. */
function keep(script: string, said: string[] = []): Keeper {
  const ready = join(folder, 'ready');
  const part: Part = {
    name: 'api',
    needs: [],
    stopSignal: 'SIGTERM',
    stopGraceMs: 300,
    prepare: () => rm(ready, { force: true }),
    argv: () => ['sh', '-c', script],
    async check() {
      if (!existsSync(ready)) throw new Error('not ready');
    },
  };
  keeper = new Keeper(part, [], {
    logFile: join(folder, 'log'),
    env: { PATH: process.env.PATH ?? '', READY: ready, FOLDER: folder },
    onChange: () => {},
    say: (line) => said.push(line),
  });
  return keeper;
}

test('a part that ends is started again, and is down meanwhile', async () => {
  const said: string[] = [];
  const kept = keep('touch "$READY"; exec sleep 1000', said);
  await kept.start();
  expect(kept.isUp).toBe(true);
  const first = kept.process?.pid ?? 0;
  process.kill(first, 'SIGKILL');
  await vi.waitFor(() => expect(kept.isUp).toBe(false), WAIT);
  await vi.waitFor(() => expect(kept.isUp).toBe(true), WAIT);
  expect(kept.process?.pid).not.toBe(first);
  expect(said.join('\n')).toMatch(/^api ended by SIGKILL; .*\napi is up again$/);
});

test('one that fails again after that is tried until it stays', async () => {
  const said: string[] = [];
  const kept = keep('[ -e "$FOLDER/broken" ] && exit 1; touch "$READY"; exec sleep 1000', said);
  await kept.start();
  writeFileSync(join(folder, 'broken'), '');
  process.kill(kept.process?.pid ?? 0, 'SIGKILL');
  const failures = () => said.filter((line) => line.includes('did not start'));
  await vi.waitFor(() => expect(failures().length).toBeGreaterThan(1), WAIT);
  await rm(join(folder, 'broken'));
  await vi.waitFor(() => expect(kept.isUp).toBe(true), WAIT);
});

test('a part that ends before it answers fails the start with what it said last', async () => {
  await expect(keep('echo no such disk >&2; exit 3').start()).rejects.toThrow(
    /ended with 3.*\n.*no such disk/s,
  );
});

test('one that ignores its stop signal is killed after its grace, and a stop ends a start too', async () => {
  const kept = keep('trap "" TERM; touch "$READY"; while :; do sleep 0.1; done');
  await kept.start();
  const pid = kept.process?.pid ?? 0;
  await kept.stop();
  expect(startTimeOf(pid)).toBeNull();

  const hanging = keep('exec sleep 1000');
  const started = hanging.start().catch((error: Error) => error.name);
  await vi.waitFor(() => expect(hanging.process).not.toBeNull(), WAIT);
  await hanging.stop();
  expect(await started).toBe('AbortError');
});
