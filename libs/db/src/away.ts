import { Prisma } from './generated/client.ts';

/** Prisma's: not reached, timed out, closed; no connection or transaction to be had in time. */
const PRISMA = /^P(1001|1002|1008|1017|2024|2028)$/;
/** PostgreSQL's class 08 (connection exceptions), and a server that ends or begins; Node's of sockets. */
const DRIVER = /^(08\w{3}|57P0\d|53300|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT)$/;
/** node-postgres has no codes for them. */
const WORDS = /^(Connection terminated|Client has encountered a connection error|timeout exceeded)/;

interface DriverError {
  code?: unknown;
  originalCode?: unknown;
  kind?: unknown;
}

/**
 * The database is away, or went away in mid-query: then it is not known whether that was done. The
 * same may succeed later.
 * @see PostgreSQL, "Appendix A. Error Codes"; Prisma, "Error message reference"
 */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('syscall' in error && error.syscall === 'connect') return true; // also a socket that is not there yet
  if (WORDS.test(error.message)) return true;
  const { code: said, originalCode, kind } = driverErrorOf(error);
  const codes = [(error as { code?: unknown }).code, said, originalCode].map(String);
  return kind === 'ConnectionClosed' || codes.some((one) => PRISMA.test(one) || DRIVER.test(one));
}

/** What Prisma's adapter knows of it: by itself, or in an error of Prisma's. */
function driverErrorOf(error: Error): DriverError {
  const inPrisma =
    error instanceof Prisma.PrismaClientKnownRequestError ? error.meta?.driverAdapterError : error;
  return (inPrisma as { cause?: DriverError } | undefined)?.cause ?? {};
}
