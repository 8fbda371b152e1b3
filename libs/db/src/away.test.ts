import { readFileSync } from 'node:fs';
import { startThrowawayPostgres } from '@slipway/infra';
import { expect, test } from 'vitest';
import { isDatabaseAway, newId, openDatabase } from './index.ts';
import { migrate } from './migrate.ts';

test('a database that is killed, or ends a connection, is away: what it refuses is something else', async () => {
  await using postgres = await startThrowawayPostgres();
  await migrate(postgres.url);
  const database = openDatabase(postgres.url);
  const { pool, prisma } = database;
  const thrownBy = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'nothing',
      (error: unknown) => error,
    );
  const find = () => prisma.project.findFirst();
  const sleepInTransaction = () =>
    database.transaction((tx) => tx.$queryRaw`SELECT 1 FROM (SELECT pg_sleep(60)) AS sleeping`);
  const pidOf = async () => (await pool.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
  try {
    const refused = await Promise.all([
      thrownBy(pool.query('SELECT nothing')),
      thrownBy(prisma.project.findUniqueOrThrow({ where: { id: 'prj_' } })),
      thrownBy(
        prisma.project.create({
          data: { id: newId('prj'), organizationId: 'nobody', slug: 'x', name: 'x' },
        }),
      ),
    ]);
    expect(refused.map(isDatabaseAway)).toEqual([false, false, false]);

    const cut = [thrownBy(pool.query('SELECT pg_sleep(60)')), thrownBy(sleepInTransaction())];
    await expect.poll(() => sleeping(pool)).toBe(2);
    await pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE pid <> pg_backend_pid() AND query LIKE '%pg_sleep%'`);
    for (const error of await Promise.all(cut)) expect(error).toSatisfy(isDatabaseAway);

    const killed = [thrownBy(pool.query('SELECT pg_sleep(60)')), thrownBy(sleepInTransaction())];
    await expect.poll(() => sleeping(pool)).toBe(2);
    const server = parentOf(await pidOf());
    process.kill(server, 'SIGKILL');
    for (const error of await Promise.all(killed)) expect(error).toSatisfy(isDatabaseAway);
    // what it began does not end at once: an idle connection may still answer
    const onEach = () => Array.from({ length: 5 }, () => thrownBy(pool.query('SELECT 1')));
    await expect.poll(async () => (await Promise.all(onEach())).every(isDatabaseAway)).toBe(true);
    const away = [find(), pool.query('SELECT 1'), sleepInTransaction(), find()].map(thrownBy);
    for (const error of await Promise.all(away)) expect(error).toSatisfy(isDatabaseAway);
  } finally {
    await database.close();
  }
});

async function sleeping(pool: ReturnType<typeof openDatabase>['pool']): Promise<number> {
  const { rows } = await pool.query(`SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND state = 'active' AND query LIKE '%pg_sleep%'`);
  return rows[0].count;
}

/** @see proc(5), `/proc/pid/stat` */
function parentOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
}
