import { Prisma } from './generated/client.ts';

/** A write that a unique index refused: somebody was first. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
}

/** A deadlock that the database broke, or a conflict of serializable transactions: P2034, or P2010 in raw SQL. */
export function isWriteConflict(error: unknown): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false;
  const { driverAdapterError } = (error.meta ?? {}) as {
    driverAdapterError?: { cause?: { kind?: string } };
  };
  return error.code === 'P2034' || driverAdapterError?.cause?.kind === 'TransactionWriteConflict';
}
