import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Checkout } from '../fixtures/checkout.ts';
import { builds } from './builds.bench.ts';
import type { Bench, Result } from './comparison.ts';
import { containers } from './containers.bench.ts';
import { edge } from './edge.bench.ts';
import { idle } from './idle.bench.ts';
import { pageOf } from './page.ts';
import { registry } from './registry.bench.ts';
import { printTable } from './table.ts';

/* `npm run bench [-- <name>…]`: a platform of its own, each benchmark beside its peer, one table.
   `npm run bench -- --save`: all of them, and docs/benchmarks.md. */

const PAGE = join(import.meta.dirname, '../../docs/benchmarks.md');
/** In this order: what is idle is so before it is put to use. */
const BENCHES: Record<string, Bench> = { idle, registry, containers, builds, edge };

const names = process.argv.slice(2).filter((argument) => argument !== '--save');
const saves = process.argv.includes('--save');
const unknown = names.find((name) => !(name in BENCHES));
if (unknown !== undefined) {
  console.error(`There is no benchmark "${unknown}": ${Object.keys(BENCHES).join(', ')}.`);
  process.exit(1);
}
if (saves && names.length > 0) {
  console.error('--save is for all benchmarks: the page has one run of them. Leave out the names.');
  process.exit(1);
}
const wanted = Object.entries(BENCHES).filter(
  ([name]) => names.length === 0 || names.includes(name),
);

console.log('· starting a platform');
await using checkout = await Checkout.create();
const started = await checkout.npm('start', '--', '--detach');
if (started.code !== 0) throw new Error(`npm start ended with ${started.code}:\n${started.output}`);
const results: Result[] = [];
for (const [name, { about, run }] of wanted) {
  const rows = await run(checkout, (line) => console.log(`· ${name}: ${line}`));
  results.push({ name, about, rows });
}
printTable(results.flatMap(({ rows }) => rows));
if (saves) writeFileSync(PAGE, pageOf(results));
