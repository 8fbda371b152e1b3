import type { Database, Prisma } from '@slipway/db';
import { NO_RECORD, type Seal, sealBehind } from './seal.ts';

const PAGE = 1000;
const LONGEST_MS = 60 * 60_000;

/** What is found of the chain of an organization. */
export interface ChainFinding {
  /** its identifier */
  organizationId: string;
  slug: string;
  /** of its last record; `NO_RECORD` when it has none */
  head: Seal;
  /** where it is not as it was sealed, in words; null: it is whole */
  flaw: string | null;
  /** records that no seal keeps yet, and when the oldest of them was written */
  unsealed: { count: number; since: Date | null };
}

/**
 * Goes through the chains of all organizations, each as it is at one moment.
 * @param noted heads of earlier times by the organizations' identifiers, kept where whoever may write to the
 *   database cannot reach: only they show that the last records of a chain, or all of it, were written anew
 */
export async function* verifyChains(
  { prisma }: Database,
  noted: ReadonlyMap<string, Seal> = new Map(),
): AsyncGenerator<ChainFinding> {
  const found = await prisma.organization.findMany({
    select: { id: true, slug: true },
    orderBy: { slug: 'asc' },
  });
  for (const { id, slug } of found) {
    yield await prisma.$transaction((tx) => verify(tx, { id, slug }, noted.get(id) ?? NO_RECORD), {
      ...{ isolationLevel: 'RepeatableRead', timeout: LONGEST_MS },
    });
  }
}

async function verify(
  tx: Prisma.TransactionClient,
  { id: organizationId, slug }: { id: string; slug: string },
  noted: Seal,
): Promise<ChainFinding> {
  const { position = 0, hash = NO_RECORD.hash } =
    (await tx.auditChain.findUnique({ where: { organizationId } })) ?? {};
  const head = { position, hash };
  const { _count: count, _min: oldest } = await tx.auditRecord.aggregate({
    where: { organizationId, position: null },
    _count: true,
    _min: { time: true },
  });
  const flaw = await flawOf(tx, { organizationId, head, noted });
  return { organizationId, slug, head, flaw, unsealed: { count, since: oldest.time } };
}

async function flawOf(
  tx: Prisma.TransactionClient,
  chain: { organizationId: string; head: Seal; noted: Seal },
): Promise<string | null> {
  const { organizationId, head, noted } = chain;
  let last = NO_RECORD;
  for (let page = PAGE; page === PAGE; ) {
    const rows = await tx.auditRecord.findMany({
      where: { organizationId, position: { gt: last.position } },
      orderBy: { position: 'asc' },
      take: PAGE,
    });
    page = rows.length;
    for (const row of rows) {
      const seal = sealBehind(last, row);
      if (row.position !== seal.position) return `the record at ${seal.position} is missing`;
      if (row.hash !== seal.hash)
        return `the record at ${seal.position}, ${row.id}, is another one`;
      if (noted.position === seal.position && noted.hash !== seal.hash) {
        return `the records up to ${noted.position} are not those of the noted head`;
      }
      last = seal;
    }
  }
  if (last.position !== head.position || last.hash !== head.hash) {
    return `its last record is ${last.position}, and its head says ${head.position}`;
  }
  return last.position < noted.position
    ? `its last record is ${last.position}, and the noted head says ${noted.position}`
    : null;
}
