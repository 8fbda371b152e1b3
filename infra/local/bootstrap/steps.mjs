import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explainFullDisk } from './room.mjs';
import { endOfStep, terminal } from './terminal.mjs';

export const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
export const MODULES = join(ROOT, 'node_modules');
export const BIN = join(MODULES, '.bin');

/**
 * Runs to its end and prints one line with its time; what it said is shown when it failed, and that ends us.
 * @param {string} title
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, timeoutMs?: number }} [options]
 */
export function step(title, program, args, { env = {}, timeoutMs } = {}) {
  const begun = performance.now();
  terminal.begun(title);
  const result = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...environment(), ...env },
    maxBuffer: 64 * 1024 * 1024,
    timeout: timeoutMs,
  });
  const isDone = result.status === 0;
  terminal.line(endOfStep(isDone, title, begun));
  if (isDone) return;
  fail(`${result.error?.message ?? ''}${result.stdout ?? ''}${result.stderr ?? ''}`.trim());
}

/** What our programs get: the project's own Node and tools first, and where Node may keep compiled code. */
export function environment() {
  return {
    ...process.env,
    PATH: `${BIN}:${process.env.PATH ?? ''}`,
    NODE_COMPILE_CACHE: join(MODULES, '.cache/compiled'),
    NODE_COMPILE_CACHE_PORTABLE: '1',
  };
}

/**
 * @param {string} sentence
 * @returns {never}
 */
export function fail(sentence) {
  console.error(explainFullDisk(sentence, [ROOT, '/tmp', process.env.HOME ?? '/']));
  process.exit(1);
}
