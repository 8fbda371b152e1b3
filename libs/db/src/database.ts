import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { type Prisma, PrismaClient } from './generated/client.ts';
import { isWriteConflict } from './violations.ts';

const TRANSACTION_ATTEMPTS = 4;

/** Prisma, or a transaction of it: what stores write their queries on. */
export type Queries = PrismaClient | Prisma.TransactionClient;

/**
 * One process's connections. `prisma` for ordinary work; `pool` for prepared SQL on hot paths and
 * for LISTEN.
 */
export interface Database {
  readonly url: string;
  readonly prisma: PrismaClient;
  readonly pool: pg.Pool;
  /**
   * All or nothing. `work` is done again when the database ends it for a deadlock or a conflict with
   * another transaction, so it does nothing but queries.
   */
  transaction<T>(work: (tx: Prisma.TransactionClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function openDatabase(url: string, options: { maxConnections?: number } = {}): Database {
  const max = options.maxConnections ?? 20;
  const pool = new pg.Pool({ connectionString: url, max });
  // A connection that breaks (PostgreSQL restarted) must not end the process, neither an idle one
  // nor one that is checked out: its query fails, and the next one reconnects.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool, { disposeExternalPool: false }),
    transactionOptions: { maxWait: 10_000, timeout: 20_000 },
  });
  return {
    url,
    prisma,
    pool,
    async transaction(work) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await prisma.$transaction(work);
        } catch (error) {
          if (!isWriteConflict(error) || attempt >= TRANSACTION_ATTEMPTS) throw error;
        }
      }
    },
    async close() {
      await prisma.$disconnect();
      await pool.end();
    },
  };
}
