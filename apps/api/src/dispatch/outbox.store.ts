import { Inject, Injectable } from '@nestjs/common';
import { type NodeCommand, NodeCommandSchema } from '@slipway/contracts';
import type { Database, Prisma } from '@slipway/db';
import { DATABASE } from '../platform.module.ts';

const BATCH = 100;

/** Commands to nodes, committed together with what they tell of, so that neither is without the other. */
@Injectable()
export class OutboxStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** In the caller's transaction. */
  async add(tx: Prisma.TransactionClient, nodeId: string, command: NodeCommand): Promise<void> {
    await tx.outbox.create({ data: { nodeId, command } });
    await tx.$executeRaw`SELECT pg_notify('outbox', '')`;
  }

  /**
   * Hands the oldest commands to `send`, and forgets those that it took. A command whose sender dies
   * in between is sent again. @returns how many there were
   */
  async move(send: (nodeId: string, commands: NodeCommand[]) => Promise<void>): Promise<number> {
    const client = await this.database.pool.connect();
    try {
      await client.query('BEGIN');
      const { rows } = await client.query<{ nodeId: string; command: unknown }>(
        `DELETE FROM "Outbox" WHERE id IN
          (SELECT id FROM "Outbox" ORDER BY id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
          RETURNING "nodeId", command`,
      );
      const byNode = Map.groupBy(rows, ({ nodeId }) => nodeId);
      for (const [nodeId, ofNode] of byNode) {
        await send(
          nodeId,
          ofNode.map(({ command }) => NodeCommandSchema.parse(command)),
        );
      }
      await client.query('COMMIT');
      return rows.length;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {});
      throw error;
    } finally {
      client.release();
    }
  }
}
