import { Checkout } from '../fixtures/checkout.ts';
import { builds } from './builds.bench.ts';
import { containers } from './containers.bench.ts';
import { edge } from './edge.bench.ts';
import { registry } from './registry.bench.ts';
import { printTable } from './table.ts';

/* `npm run bench [-- <name>…]`: a platform of its own, each benchmark beside its peer, one table. */

const BENCHES = { registry, containers, builds, edge };

const names = process.argv.slice(2);
const unknown = names.find((name) => !(name in BENCHES));
if (unknown !== undefined) {
  console.error(`There is no benchmark "${unknown}": ${Object.keys(BENCHES).join(', ')}.`);
  process.exit(1);
}
const wanted = Object.entries(BENCHES).filter(
  ([name]) => names.length === 0 || names.includes(name),
);

console.log('· starting a platform');
await using checkout = await Checkout.create();
const started = await checkout.npm('start', '--', '--detach');
if (started.code !== 0) throw new Error(`npm start ended with ${started.code}:\n${started.output}`);
const rows = [];
for (const [name, bench] of wanted) {
  rows.push(...(await bench(checkout, (line) => console.log(`· ${name}: ${line}`))));
}
printTable(rows);
