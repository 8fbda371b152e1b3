import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@slipway/log';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogFile, logFilesOf } from './log-file.ts';
import { LogKeeper } from './log-keeper.ts';
import { readLog } from './read-log.ts';

const engineId = 'a'.repeat(64);
const WITHIN_MS = 30_000;

let folder: string;
let folders: { fifos: string; logs: string };
let keeper: LogKeeper;
const log = createLogger({ name: 'logs', level: 'silent' });
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-log-'));
  folders = { fifos: join(folder, 'fifos'), logs: join(folder, 'logs') };
  keeper = await started();
});
afterEach(async () => {
  await keeper.close();
  await rm(folder, { recursive: true });
});

async function started(): Promise<LogKeeper> {
  const fresh = new LogKeeper(folders, log);
  await fresh.start();
  return fresh;
}

const open = () => keeper.handlers().openLog({ engineId });
const close = (timeoutMs = WITHIN_MS) => keeper.handlers().closeLog({ engineId, timeoutMs });

/** A program whose output goes where a container's goes. */
async function run(script: string) {
  const { stdout, stderr } = await open();
  // reading too: a shim holds both ends, so that a reader's absence breaks nothing
  const program = spawn('sh', [
    '-c',
    `exec <>"${stdout}" 3<>"${stderr}" >"${stdout}" 2>"${stderr}"; ${script}`,
  ]);
  return { ended: once(program, 'exit') };
}

async function lines(): Promise<string[]> {
  const all: string[] = [];
  for await (const records of readLog(join(folders.logs, engineId))) {
    all.push(...records.map(({ stream, line }) => `${stream} ${line}`));
  }
  return all;
}

/** A line that was cut by a restart is two records. */
async function text(): Promise<string> {
  let all = '';
  for await (const records of readLog(join(folders.logs, engineId))) {
    for (const { line, isPartial } of records) all += `${line}${isPartial ? '' : '\n'}`;
  }
  return all;
}

test('all that a program wrote is in its log when the log is closed, run after run', async () => {
  for (let round = 1; round <= 20; round++) {
    const program = await run(`echo out ${round}; echo err ${round} >&2`);
    await program.ended;
    await close();
    const ofRound = (await lines()).slice(-2).toSorted();
    expect(ofRound).toEqual([`stderr err ${round}`, `stdout out ${round}`]);
  }
  expect(await lines()).toHaveLength(40);
});

test('a log process that is away makes a program wait and loses nothing', async () => {
  const count = 100_000;
  const program = await run(`i=0; while [ $i -lt ${count} ]; do i=$((i+1)); echo $i; done`);
  for (let round = 0; round < 5; round++) {
    await keeper.close();
    keeper = await started();
  }
  await program.ended;
  await close();
  const written = Array.from({ length: count }, (_, index) => `${index + 1}\n`).join('');
  expect(await text()).toBe(written);
});

test('a log process that came when a program was gone does not wait for it', async () => {
  const { stdout } = await open();
  const go = join(folder, 'go');
  const program = await run(`until [ -e '${go}' ]; do sleep 0.02; done; echo late`);
  await keeper.close();
  // what is in a FIFO stays there as long as anybody has it
  const reader = openSync(stdout, constants.O_RDONLY | constants.O_NONBLOCK);
  await writeFile(go, '');
  await program.ended;
  keeper = await started();
  await close(10 * WITHIN_MS);
  closeSync(reader);
  expect(await lines()).toEqual(['stdout late']);
});

test('a run that never began does not keep its log from being closed', async () => {
  await open();
  await close(0);
  expect(await lines()).toEqual([]);
});

test('a removed log leaves nothing', async () => {
  const program = await run('echo x');
  await program.ended;
  await keeper.handlers().removeLog({ engineId });
  expect(await logFilesOf(join(folders.logs, engineId))).toEqual([]);
});

test('a record that a killed process left in the middle is cut off', async () => {
  const path = join(folder, 'cut');
  await mkdir(path);
  const whole = '2026-01-02T03:04:05.678Z stdout F one\n';
  await writeFile(join(path, '000001.log'), `${whole}2026-01-02T03:04:05.678Z stdout F tw`);
  const file = await LogFile.open(path);
  await file.append(Buffer.from(whole));
  await file.close();
  expect(await readFile(join(path, '000001.log'), 'utf8')).toBe(whole + whole);
});

test('a log keeps its newest files and goes on after a restart', async () => {
  const path = join(folder, 'rotated');
  const record = (text: string) => Buffer.from(`2026-01-02T03:04:05.678Z stdout F ${text}\n`);
  for (let index = 0; index < 6; index++) {
    const file = await LogFile.open(path);
    await file.append(record(`${index}${'x'.repeat(9 * 1024 * 1024)}`));
    await file.close();
  }
  expect((await logFilesOf(path)).map(({ number }) => number)).toEqual([4, 5, 6]);
});
