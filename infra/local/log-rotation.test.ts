import { closeSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rotateLogs } from './log-rotation.ts';

const LIMITS = { bytes: 20, kept: 2 };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-logs-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

function contents(): Record<string, string> {
  const names = readdirSync(folder);
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

test('a long log becomes .1 and its process goes on in the file; the oldest is dropped', () => {
  const log = openSync(join(folder, 'api.log'), 'a');
  for (const round of ['first', 'second', 'third']) {
    writeSync(log, `${round} ${'x'.repeat(20)}\n`);
    rotateLogs(folder, LIMITS);
  }
  writeSync(log, 'fourth\n');
  closeSync(log);
  expect(contents()).toEqual({
    'api.log': 'fourth\n',
    'api.log.1': `third ${'x'.repeat(20)}\n`,
    'api.log.2': `second ${'x'.repeat(20)}\n`,
  });
});

test('of a flood the end is kept; what is short or no log is left alone', () => {
  writeFileSync(join(folder, 'flood.log'), `${'x'.repeat(500)}${'y'.repeat(40)}`);
  writeFileSync(join(folder, 'short.log'), 'short');
  writeFileSync(join(folder, 'other'), 'z'.repeat(500));
  rotateLogs(folder, LIMITS);
  expect(contents()).toEqual({
    'flood.log': '',
    'flood.log.1': 'y'.repeat(40),
    'short.log': 'short',
    other: 'z'.repeat(500),
  });
});
