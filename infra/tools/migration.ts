import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MIGRATIONS_DIR, SCHEMA_FILE } from '@slipway/db/migrate';
import { startThrowawayPostgres } from '../local/parts/throwaway.ts';
import { diffSchemas } from './schema-diff.ts';

/*
 * `npm run migration -- <name>`: writes prisma/migrations/<UTC time>_<name>/migration.sql from what
 * changed in schema.prisma since the last migration, whose schema is kept beside the migrations.
 */

const [name] = process.argv.slice(2);
if (name === undefined || !/^[a-z0-9_]+$/.test(name)) {
  console.error('Usage: npm run migration -- <name of lower-case letters, digits and "_">');
  process.exit(2);
}
const migrated = join(MIGRATIONS_DIR, 'schema.prisma');
const before = await readFile(migrated, 'utf8').catch(() => null);
const now = await readFile(SCHEMA_FILE, 'utf8');
await using postgres = await startThrowawayPostgres();
const sql = await diffSchemas(postgres.url, before, now);
const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
const folder = join(MIGRATIONS_DIR, `${stamp}_${name}`);
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'migration.sql'), sql);
await writeFile(migrated, now);
console.log(`wrote ${folder}/migration.sql`);
