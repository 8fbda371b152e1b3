import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import bundled from '../../../rolldown.config.mjs';
import { requireRoom } from './room.mjs';
import { BIN, fail, MODULES, ROOT, step } from './steps.mjs';

const NPM_CI_WITHIN_MS = 20 * 60_000;
const BUNDLES = bundled.map(({ output }) => output.file);

/*
 * What makes a clone runnable. Each has a stamp in node_modules: a digest of what it was made from. All
 * of it may be copied to another clone of the same state (`cp -al` too: nothing is overwritten in place).
 */

const install = {
  stamp: '.slipway-lock',
  isThere: () => existsSync(join(BIN, 'node')),
  wanted: () => digest('package-lock.json'),
  make() {
    requireRoom(ROOT, 1024, 'npm');
    // Some npm versions run install scripts and some do not: none of ours needs one.
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    step('installed npm packages', 'npm', ['ci', ...flags], { timeoutMs: NPM_CI_WITHIN_MS });
  },
};

const databaseClient = {
  stamp: '.slipway-prisma',
  isThere: () => existsSync('libs/db/src/generated'),
  wanted: () => digest('prisma/schema.prisma', 'package-lock.json'),
  make() {
    // `generate` looks for an engine to download, which it then does not use.
    const env = { PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', PRISMA_HIDE_UPDATE_MESSAGE: '1' };
    step('generated the database client', 'prisma', ['generate'], { env });
  },
};

const bundles = {
  stamp: '.slipway-bundles',
  isThere: () => BUNDLES.every((file) => existsSync(file)),
  wanted: () =>
    digest(
      'package-lock.json',
      'tsconfig.json',
      'rolldown.config.mjs',
      ...sourcesOf('apps', 'libs'),
    ),
  make() {
    for (const file of BUNDLES) rmSync(file, { force: true });
    step('bundled the apps', 'rolldown', ['-c', '--logLevel=silent']);
  },
};

/**
 * Brings the checkout to where its code can run; what is up to date is skipped.
 * @param {{ builds: boolean }} options whether more than npm's packages is needed
 */
export async function prepare({ builds }) {
  const things = builds ? [install, databaseClient, bundles] : [install];
  if (things.every(isUpToDate)) return;
  const release = await takeTurn();
  for (const thing of things) {
    if (isUpToDate(thing)) continue;
    thing.make();
    const stamp = join(MODULES, thing.stamp);
    rmSync(stamp, { force: true });
    writeFileSync(stamp, thing.wanted());
  }
  release();
}

/** @param {typeof install} thing */
function isUpToDate({ stamp, isThere, wanted }) {
  const file = join(MODULES, stamp);
  return existsSync(file) && isThere() && readFileSync(file, 'utf8') === wanted();
}

/**
 * Two commands at once do not both install. An abstract socket ends with its process
 * (docs/decisions/0005).
 * @returns {Promise<() => void>}
 */
async function takeTurn() {
  const name = `\0slipway-prepare-${createHash('sha256').update(ROOT).digest('hex').slice(0, 16)}`;
  for (let attempt = 0; ; attempt++) {
    const server = createServer();
    const error = await new Promise((done) => {
      server.once('error', done);
      server.listen(name, () => done(null));
    });
    if (error === null) return () => void server.close();
    if (error.code !== 'EADDRINUSE') fail(error.message);
    if (attempt === 0) console.log('Another command prepares this checkout; waiting for it.');
    await delay(200);
  }
}

/** @param {string[]} files */
function digest(...files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

/** @param {string[]} folders */
function sourcesOf(...folders) {
  return folders
    .flatMap((folder) =>
      readdirSync(folder, { withFileTypes: true }).map((entry) => [folder, entry]),
    )
    .flatMap(([folder, entry]) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory())
        return ['node_modules', 'dist'].includes(entry.name) ? [] : sourcesOf(path);
      return /\.(test|fixture)\.ts$/.test(entry.name) ? [] : [path];
    })
    .sort();
}
