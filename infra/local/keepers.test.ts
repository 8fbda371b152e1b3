import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Keepers } from './keepers.ts';
import type { Part, PartName } from './parts/part.ts';
import { printProgress } from './progress.ts';

const WAIT = { timeout: 30_000 };
const SLEEPS =
  'trap \'echo "$NAME" >> "$FOLDER/stopped"; exit 0\' TERM; touch "$READY"; while :; do sleep 0.05; done';

let folder: string;
let kept: Keepers | null = null;
/** what a person was told, without times */
let said: string[];
const progress = printProgress({
  line: (text) => said.push(text.replace(/ {2}[\d.]+ m?s$/, '')),
  begun: () => {},
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-keepers-'));
  said = [];
});
afterEach(async () => {
  await kept?.stop(progress);
  await rm(folder, { recursive: true, force: true });
});

/** A shell script as a part; it is up once it has made its file. */
function part(name: PartName, needs: readonly PartName[], script = SLEEPS): Part {
  const ready = join(folder, `${name}.ready`);
  return {
    ...{ name, needs, stopSignal: 'SIGTERM', stopGraceMs: 30_000 },
    prepare: () => rm(ready, { force: true }),
    argv: () => ['sh', '-c', script],
    env: () => ({ NAME: name, READY: ready }),
    async check() {
      if (!existsSync(ready)) throw new Error('not ready');
    },
  };
}

function keep(...parts: Part[]): Keepers {
  kept = new Keepers(parts, (name) => ({
    logFile: join(folder, `${name}.log`),
    env: { PATH: process.env.PATH ?? '', FOLDER: folder },
    onChange: () => {},
    say: (line) => said.push(line.replace(/ in \d+ ms$/, '')),
  }));
  return kept;
}

function pidOf(parts: Keepers, name: string): number {
  return parts.processes.find((found) => found.name === name)?.pid ?? 0;
}

test('what a part needs is up before it starts, and ends after it', async () => {
  const parts = keep(part('agent', ['api']), part('api', ['redis', 'postgres']), part('redis', []));
  await parts.start(progress);
  expect(said).toEqual(['✔ started redis', '✔ started api', '✔ started agent']);
  said = [];
  await parts.stop(progress);
  expect(said).toEqual(['✔ stopped agent', '✔ stopped api', '✔ stopped redis']);
});

test('when both have ended, it comes back after what it needs', async () => {
  const waits = `while [ -e "$FOLDER/obstacle" ]; do sleep 0.05; done; ${SLEEPS}`;
  const parts = keep(part('redis', [], waits), part('api', ['redis']));
  await parts.start(progress);
  said = [];
  await writeFile(join(folder, 'obstacle'), '');
  for (const name of ['redis', 'api']) process.kill(pidOf(parts, name), 'SIGKILL');
  await vi.waitFor(() => expect(said).toContain('api waits for redis'), WAIT);
  expect(parts.states).toEqual({ redis: 'down', api: 'down' });
  await rename(join(folder, 'obstacle'), join(folder, 'removed'));
  await vi.waitFor(() => expect(parts.states).toEqual({ redis: 'up', api: 'up' }), WAIT);
  expect(said.slice(-3)).toEqual(['api waits for redis', 'redis is up again', 'api is up again']);
});

test('the first that does not start fails the start; of the others nothing is said', async () => {
  const hangs = 'exec sleep 1000';
  const parts = keep(
    part('redis', [], 'sleep 0.3; echo no such disk; exit 3'),
    part('api', ['redis']),
    part('logs', [], hangs),
  );
  await expect(parts.start(progress)).rejects.toThrow('no such disk');
  await parts.stop(progress);
  expect(said).toEqual(['✘ started redis', '✔ stopped logs']);
});
