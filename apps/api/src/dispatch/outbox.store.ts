import { Inject, Injectable } from '@nestjs/common';
import { type Command, CommandSchema } from '@slipway/contracts';
import type { Database, Prisma } from '@slipway/db';
import type { CommandQueue } from '@slipway/queue';
import { DATABASE } from '../platform.module.ts';

const AT_A_TIME = 100;

/** A command, and how long it has been in the outbox. */
export interface WaitingCommand {
  command: Command;
  waitedMs: number;
}

/**
 * Commands, committed together with what they tell of, so that neither is without the other.
 *
 * @unscoped whoever writes a command has written in a scope what it tells of
 */
@Injectable()
export class OutboxStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** In the caller's transaction. */
  async add<C extends Command>(
    tx: Prisma.TransactionClient,
    { name }: CommandQueue<C>,
    command: C,
  ): Promise<void> {
    await tx.$executeRaw`
      WITH added AS (
        INSERT INTO "Outbox" (queue, command, "createdAt")
        VALUES (${name}, ${JSON.stringify(command)}::jsonb, clock_timestamp())
      )
      SELECT pg_notify('outbox', '')`;
  }

  /**
   * Hands the oldest commands to `send`, and forgets those that it took. A command whose sender dies
   * in between is sent again. @returns whether there may be more
   */
  async move(
    send: (queue: string, waiting: readonly WaitingCommand[]) => Promise<void>,
  ): Promise<boolean> {
    const client = await this.database.pool.connect();
    try {
      await client.query('BEGIN');
      const { rows } = await client.query<{ queue: string; command: unknown; waitedMs: number }>(
        `DELETE FROM "Outbox" WHERE id IN
          (SELECT id FROM "Outbox" ORDER BY id LIMIT ${AT_A_TIME} FOR UPDATE SKIP LOCKED)
          RETURNING queue, command,
            round(1000 * extract(epoch FROM clock_timestamp() - "createdAt"), 1)::float8 AS "waitedMs"`,
      );
      for (const [queue, onIt] of Map.groupBy(rows, (row) => row.queue)) {
        const waiting = onIt.map(({ command, waitedMs }) => {
          return { command: CommandSchema.parse(command), waitedMs };
        });
        await send(queue, waiting);
      }
      await client.query('COMMIT');
      return rows.length === AT_A_TIME;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {});
      throw error;
    } finally {
      client.release();
    }
  }
}
