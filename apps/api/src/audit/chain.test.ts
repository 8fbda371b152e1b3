import { type ChainFinding, NO_RECORD, type Seal, sealBehind, verifyChains } from '@slipway/audit';
import { type Database, newId, openDatabase, type Queries } from '@slipway/db';
import { createTestDatabase } from '@slipway/test/database';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ChainStore } from './chain.store.ts';

/* No API is beside this database: nothing is sealed but what a test seals. */

let made: Awaited<ReturnType<typeof createTestDatabase>>;
let database: Database;
let chains: ChainStore;
let organizationId: string;
beforeAll(async () => {
  made = await createTestDatabase();
  database = openDatabase(made.url);
  chains = new ChainStore(database);
});
afterAll(async () => {
  await database?.close();
  await made?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  organizationId = await addOrganization();
});

async function addOrganization(): Promise<string> {
  const id = newId('org');
  await database.prisma.organization.create({ data: { id, slug: id, name: id } });
  return id;
}

async function write(operation: string, on: Queries = database.prisma, of = organizationId) {
  await on.auditRecord.create({
    data: {
      ...{ id: newId('aud'), organizationId: of, time: new Date(), operation },
      ...{ outcome: 'succeeded', credentialId: 'key', ip: '::1', userAgent: 'é', requestId: 'r' },
      ...{ targetType: 'project', targetName: 'web', details: { z: '1', a: '2' } },
    },
  });
}

async function writeSealed(count: number, of = organizationId): Promise<void> {
  for (let at = 1; at <= count; at++) await write(`operation-${at}`, database.prisma, of);
  await chains.seal(of, count);
}

async function verified(noted?: Seal): Promise<ChainFinding> {
  const heads = new Map(noted === undefined ? [] : [[organizationId, noted]]);
  for await (const found of verifyChains(database, heads)) {
    if (found.organizationId === organizationId) return found;
  }
  throw new Error('the organization was not looked at');
}

const rows = () =>
  database.prisma.auditRecord.findMany({
    where: { organizationId },
    orderBy: { position: 'asc' },
  });

describe('a chain', () => {
  test('is whole when it is empty', async () => {
    const unsealed = { count: 0, since: null };
    expect(await verified()).toMatchObject({ head: NO_RECORD, flaw: null, unsealed });
  });

  test('has each record once, however many write and seal at a time', async () => {
    const writers = Array.from({ length: 4 }, async () => {
      for (let at = 0; at < 20; at++) await write('createProject');
    });
    let isWritten = false;
    const sealers = Array.from({ length: 3 }, async () => {
      while (!isWritten) await chains.seal(organizationId, 7);
    });
    await Promise.all(writers);
    isWritten = true;
    await Promise.all(sealers);
    while ((await chains.seal(organizationId, 7)) > 0);
    const positions = (await rows()).map(({ position }) => position);
    expect(positions).toEqual(Array.from({ length: 80 }, (_, at) => at + 1));
    const { head, flaw, unsealed } = await verified();
    expect([head.position, flaw, unsealed.count]).toEqual([80, null, 0]);
  });

  test('has what was committed late behind what was sealed before', async () => {
    await database.transaction(async (tx) => {
      await write('late', tx);
      await write('soon');
      expect(await chains.unsealed(1000)).toContain(organizationId);
      await chains.seal(organizationId, 10);
    });
    const { head, unsealed } = await verified();
    expect(head.position).toBe(1);
    expect(unsealed).toEqual({ count: 1, since: expect.any(Date) });
    await chains.seal(organizationId, 10);
    expect((await rows()).map(({ operation }) => operation)).toEqual(['soon', 'late']);
    expect(await verified()).toMatchObject({ flaw: null, unsealed: { count: 0, since: null } });
    expect(await chains.unsealed(1000)).not.toContain(organizationId);
  });
});

describe('the database refuses to', () => {
  test.each([
    ['change what is sealed', `UPDATE "AuditRecord" SET operation = 'x' WHERE position = 1`],
    [
      'change what is not sealed',
      `UPDATE "AuditRecord" SET operation = 'x' WHERE position IS NULL`,
    ],
    [
      'change what it seals',
      `UPDATE "AuditRecord" SET operation = 'x', position = 9 WHERE position IS NULL`,
    ],
    ['seal anew', `UPDATE "AuditRecord" SET position = 9 WHERE position = 1`],
    ['remove a record', `DELETE FROM "AuditRecord" WHERE position IS NULL`],
    ['empty the log', `TRUNCATE "AuditRecord"`],
  ])('%s', async (_, sql) => {
    await writeSealed(1);
    await write('not sealed');
    const before = await rows();
    await expect(database.pool.query(sql)).rejects.toThrow('audit records stay as they are');
    expect(await rows()).toEqual(before);
  });
});

describe('whoever owns the database can do it all the same, and it shows', () => {
  /** @param sql of which $1 is the organization */
  async function tamper(...sql: string[]): Promise<void> {
    await database.prisma.$transaction(async (tx) => {
      await tx.$executeRawUnsafe('ALTER TABLE "AuditRecord" DISABLE TRIGGER USER');
      for (const one of sql) await tx.$executeRawUnsafe(one, organizationId);
      await tx.$executeRawUnsafe('ALTER TABLE "AuditRecord" ENABLE TRIGGER USER');
    });
  }
  const AT = `WHERE "organizationId" = $1 AND position`;

  test.each([
    ['a record is changed', `UPDATE "AuditRecord" SET details = '{}' ${AT} = 2`, /at 2, aud_/],
    [
      'two change places',
      `UPDATE "AuditRecord" SET position = CASE position WHEN 2 THEN 30 ELSE 2 END ${AT} IN (2, 3)`,
      /at 2, aud_/,
    ],
    ['a record is removed', `DELETE FROM "AuditRecord" ${AT} = 2`, /the record at 2 is missing/],
    [
      'the last is removed',
      `DELETE FROM "AuditRecord" ${AT} = 4`,
      /last record is 3, and its head says 4/,
    ],
    [
      'the head is gone',
      `DELETE FROM "AuditChain" WHERE "organizationId" = $1`,
      /last record is 4, and its head says 0/,
    ],
  ])('%s', async (_, sql, flaw) => {
    await writeSealed(4);
    await tamper(sql);
    expect((await verified()).flaw).toMatch(flaw);
  });

  test('a record of another organization is put in', async () => {
    await writeSealed(2);
    const other = await addOrganization();
    await writeSealed(3, other);
    await tamper(
      `UPDATE "AuditRecord" SET "organizationId" = $1 WHERE "organizationId" = '${other}' AND position = 3`,
      `UPDATE "AuditChain" AS ours SET position = 3, hash = theirs.hash FROM "AuditChain" AS theirs
        WHERE ours."organizationId" = $1 AND theirs."organizationId" = '${other}'`,
    );
    expect((await verified()).flaw).toMatch(/at 3, aud_/);
  });

  test('the end is cut off with its head: to whoever has noted the head', async () => {
    await writeSealed(4);
    const { head } = await verified();
    const [, second] = await rows();
    await tamper(
      `DELETE FROM "AuditRecord" ${AT} > 2`,
      `UPDATE "AuditChain" SET position = 2, hash = '${second?.hash}' WHERE "organizationId" = $1`,
    );
    expect((await verified()).flaw).toBeNull();
    expect((await verified(head)).flaw).toBe('its last record is 2, and the noted head says 4');
  });

  test('all is written anew without one: to whoever has noted the head', async () => {
    await writeSealed(4);
    const { head } = await verified();
    const [, unwanted, ...later] = await rows();
    const [first] = await rows();
    let last: Seal = { position: 1, hash: first?.hash ?? '' };
    const sql = [
      `DELETE FROM "AuditRecord" WHERE id = '${unwanted?.id}' AND "organizationId" = $1`,
    ];
    for (const row of later) {
      last = sealBehind(last, row);
      sql.push(`UPDATE "AuditRecord" SET position = ${last.position}, hash = '${last.hash}'
        WHERE id = '${row.id}' AND "organizationId" = $1`);
    }
    sql.push(
      `UPDATE "AuditChain" SET position = 3, hash = '${last.hash}' WHERE "organizationId" = $1`,
    );
    await tamper(...sql);
    await writeSealed(2);
    expect(await verified()).toMatchObject({ flaw: null, head: { position: 5 } });
    expect((await verified(head)).flaw).toBe('the records up to 4 are not those of the noted head');
  });
});
