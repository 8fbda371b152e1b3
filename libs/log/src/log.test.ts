import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { expect, test, vi } from 'vitest';
import { bufferedDestination, createLogger, Secret, traced } from './index.ts';

const WITHIN = { timeout: 30_000 };

test('a secret shows in no text, JSON, inspector or log line', () => {
  const secret = new Secret('hunter2');
  const lines: string[] = [];
  const log = createLogger({ name: 'test', destination: { write: (line) => lines.push(line) } });
  log.info({ secret, nested: { secret } }, `with ${secret}`);
  const shown = [String(secret), JSON.stringify({ secret }), inspect({ secret }), ...lines].join();
  expect(shown).not.toContain('hunter2');
  expect(shown).toContain('***');
  expect(secret.reveal()).toBe('hunter2');
});

test('a line carries the name, the level as a word, an ISO time and the error with its cause', () => {
  const lines: string[] = [];
  const log = createLogger({ name: 'test', destination: { write: (line) => lines.push(line) } });
  log.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed');
  log.debug('below the level');
  expect(lines).toHaveLength(1);
  const line: unknown = JSON.parse(lines[0] ?? '');
  expect(line).toMatchObject({ name: 'test', level: 'error', msg: 'failed' });
  expect(JSON.stringify(line)).toContain('inner');
  expect(line).toHaveProperty('time', expect.stringMatching(/^\d{4}-\d\d-\d\dT/));
});

test('a line says which request it is for, also later and beside others', async () => {
  const lines: string[] = [];
  const log = createLogger({ name: 'test', destination: { write: (line) => lines.push(line) } });
  const work = (requestId: string) =>
    traced(requestId, async () => {
      await new Promise((done) => setTimeout(done, 1));
      log.info({ of: requestId }, 'done');
    });
  await Promise.all([work('one'), work('two')]);
  traced('outer', () => log.info({ of: 'own', requestId: 'own' }, 'for another one'));
  log.info({}, 'for none');
  const said = lines.map((line) => JSON.parse(line));
  expect(said.slice(0, 3).map(({ of }) => of)).toEqual(['one', 'two', 'own']);
  for (const { of, requestId } of said) expect(requestId).toBe(of);
});

test('a buffered line is written without another one coming, and the last ones by a flush', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-log-'));
  try {
    const file = join(directory, 'log');
    const destination = bufferedDestination({ fd: file, flushMs: 10 });
    const log = createLogger({ name: 'test', destination });
    log.info('first');
    await vi.waitFor(async () => expect(await readFile(file, 'utf8')).toContain('first'), WITHIN);
    log.info('last');
    destination.flushSync();
    expect(await readFile(file, 'utf8')).toContain('last');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('a line that comes while nothing can be written is written as soon as it can be', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-log-'));
  try {
    const pipe = join(directory, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const destination = bufferedDestination({ fd: pipe, flushMs: 1 });
    const log = createLogger({ name: 'test', destination });
    log.info('written');
    // it is due long before anybody reads
    await sleep(50);
    const reader = createReadStream(pipe, 'utf8');
    let read = '';
    reader.on('data', (text) => {
      read += text;
    });
    await vi.waitFor(() => expect(read).toContain('written'), WITHIN);
    reader.destroy();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
