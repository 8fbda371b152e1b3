import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase } from '@slipway/test/database';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newId, openDatabase } from './index.ts';
import { MIGRATIONS_DIR, migrate, SCHEMA_FILE } from './migrate.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-migrations-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(name: string, sql: string): Promise<void> {
  await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, name, 'migration.sql'), sql);
}

test('the migrations lead to the present schema (else: npm run migration -- <name>)', async () => {
  const migrated = await readFile(join(MIGRATIONS_DIR, 'schema.prisma'), 'utf8');
  expect(migrated).toBe(await readFile(SCHEMA_FILE, 'utf8'));
});

test('the migrated tables take what the client writes, and a slug is unique in its organization', async () => {
  await using created = await createTestDatabase();
  const database = openDatabase(created.url);
  try {
    const organization = await database.prisma.organization.create({
      data: { id: newId('org'), slug: 'acme', name: 'Acme' },
    });
    const project = (slug: string) =>
      database.prisma.project.create({
        data: { id: newId('prj'), organizationId: organization.id, slug, name: slug },
      });
    await project('web');
    await expect(project('web')).rejects.toThrow('Unique constraint');
  } finally {
    await database.close();
  }
});

test('a migration is applied once, also when several start at the same time', async () => {
  await using database = await createTestDatabase();
  await put(
    '30000101000000_counter',
    'CREATE TABLE counter (n int); INSERT INTO counter VALUES (1);',
  );
  const runs = await Promise.all([1, 2, 3].map(() => migrate(database.url, folder)));
  expect(runs.flat()).toEqual(['30000101000000_counter']);
});

test('a migration that fails leaves nothing, is named, and can be tried again', async () => {
  await using database = await createTestDatabase();
  await put('30000101000000_half', 'CREATE TABLE half (n int); SELECT * FROM nowhere;');
  await expect(migrate(database.url, folder)).rejects.toThrow('30000101000000_half');
  await put('30000101000000_half', 'CREATE TABLE half (n int);');
  expect(await migrate(database.url, folder)).toEqual(['30000101000000_half']);
});

test('a migration that was edited after it was applied is refused', async () => {
  await using database = await createTestDatabase();
  await put('30000101000000_one', 'CREATE TABLE one (n int);');
  await migrate(database.url, folder);
  await put('30000101000000_one', 'CREATE TABLE one (n bigint);');
  await expect(migrate(database.url, folder)).rejects.toThrow('changed after it had been applied');
});
