import { Inject, Injectable } from '@nestjs/common';
import { NO_RECORD, type Seal, sealBehind } from '@slipway/audit';
import type { Database, Prisma } from '@slipway/db';
import { DATABASE } from '../platform.module.ts';

/** The chain of an organization's audit records, in the order in which they were found to be there. */
@Injectable()
export class ChainStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** Organizations with records that are not sealed. @unscoped the platform seals for all */
  async unsealed(limit: number): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ organizationId: string }>({
      name: 'unsealed-audit-records',
      text: `SELECT DISTINCT "organizationId" FROM "AuditRecord" WHERE position IS NULL LIMIT $1`,
      values: [limit],
    });
    return rows.map(({ organizationId }) => organizationId);
  }

  /**
   * Seals the oldest of an organization that are not sealed; others who do so wait.
   * @returns how many
   * @unscoped the platform seals for all
   */
  seal(organizationId: string, limit: number): Promise<number> {
    return this.database.transaction(async (tx) => {
      const head = await lockHead(tx, organizationId);
      const rows = await tx.auditRecord.findMany({
        where: { organizationId, position: null },
        orderBy: { id: 'asc' },
        take: limit,
      });
      const seals: (Seal & { id: string })[] = [];
      let last = head;
      for (const row of rows) {
        last = sealBehind(last, row);
        seals.push({ id: row.id, ...last });
      }
      await tx.$executeRaw`UPDATE "AuditRecord" AS record SET position = seal.position, hash = seal.hash
        FROM jsonb_to_recordset(${JSON.stringify(seals)}::jsonb) AS seal (id text, position int, hash text)
        WHERE record.id = seal.id`;
      await tx.auditChain.update({ where: { organizationId }, data: last });
      return rows.length;
    });
  }
}

async function lockHead(tx: Prisma.TransactionClient, organizationId: string): Promise<Seal> {
  await tx.auditChain.createMany({
    data: { organizationId, ...NO_RECORD },
    skipDuplicates: true,
  });
  const [head = NO_RECORD] = await tx.$queryRaw<Seal[]>`SELECT position, hash FROM "AuditChain"
    WHERE "organizationId" = ${organizationId} FOR UPDATE`;
  return head;
}
