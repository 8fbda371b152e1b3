import type { Prisma } from '@slipway/db';

/** SQL that tells those who wait for containers, and those who take care of them. @param changed where they are: a table of SQL's */
export function tellingOf(changed: string): string {
  return `SELECT pg_notify(channel, payload)
    FROM ${changed} c CROSS JOIN LATERAL (VALUES
      ('containers', c.id),
      ('services', c."serviceId"),
      ('restarts', CASE WHEN c."restartAt" IS NOT NULL THEN c.id END)
    ) AS told (channel, payload)
    WHERE payload IS NOT NULL`;
}

/** In the transaction that changes the container. */
export async function tellOf(tx: Prisma.TransactionClient, id: string): Promise<void> {
  await tx.$executeRawUnsafe(`${tellingOf('"Container"')} AND c.id = $1`, id);
}
