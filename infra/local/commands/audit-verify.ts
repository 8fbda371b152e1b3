import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type ChainFinding, type Seal, verifyChains } from '@slipway/audit';
import { openDatabase } from '@slipway/db';
import { z } from 'zod';
import { readEnv } from '../env.ts';
import { readJson, writeWhole } from '../files.ts';
import type { Instance } from '../instance.ts';
import { postgresUrl } from '../parts/postgres.ts';

const USAGE = 'Usage: npm run audit:verify [-- --heads <file>]';

/** What `--heads` keeps, by the identifiers of organizations. */
const HeadsSchema = z.record(z.string(), z.object({ position: z.int(), hash: z.string() }));

/**
 * Says of each organization whether its audit log is as it was sealed, and what is not sealed yet.
 * Exit code 1: one is not.
 */
export async function auditVerify(instance: Instance, args: readonly string[]): Promise<number> {
  const file = headsFile(args);
  const noted = notedHeads(file);
  const database = openDatabase(readEnv().DATABASE_URL ?? postgresUrl(instance));
  const findings: ChainFinding[] = [];
  try {
    for await (const finding of verifyChains(database, noted)) {
      console.log(textOf(finding));
      findings.push(finding);
      noted.delete(finding.organizationId);
    }
  } catch (cause) {
    const [last] = String(cause).trimEnd().split('\n').slice(-1);
    throw new Error(`The database cannot be read; is Slipway running? ${last}`, { cause });
  } finally {
    await database.close();
  }
  for (const id of noted.keys()) console.log(`BROKEN  ${id}: it had a log, and is not there`);
  const broken = findings.filter(({ flaw }) => flaw !== null).length + noted.size;
  if (broken > 0) {
    console.log(`\n${broken} of ${findings.length + noted.size} logs are not what was recorded.`);
    return 1;
  }
  console.log(`\nAll ${findings.length} logs are what was recorded.`);
  if (file !== null) noteHeads(file, findings);
  return 0;
}

function headsFile(args: readonly string[]): string | null {
  try {
    return (
      parseArgs({ args: [...args], options: { heads: { type: 'string' } } }).values.heads ?? null
    );
  } catch (error) {
    throw new Error(`${(error as Error).message}. ${USAGE}`);
  }
}

function notedHeads(file: string | null): Map<string, Seal> {
  if (file === null || !existsSync(file)) return new Map();
  const parsed = HeadsSchema.safeParse(readJson(file));
  if (!parsed.success) throw new Error(`${file} has no heads that this command wrote.`);
  return new Map(Object.entries(parsed.data));
}

function noteHeads(file: string, findings: readonly ChainFinding[]): void {
  writeWhole(
    file,
    Object.fromEntries(findings.map(({ organizationId, head }) => [organizationId, head])),
  );
  console.log(`Their heads are in ${file} now: the next run with it compares.`);
}

function textOf({ slug, head, flaw, unsealed }: ChainFinding): string {
  const { count, since } = unsealed;
  const tail = since === null ? '' : `, ${count} not sealed yet, since ${since.toISOString()}`;
  if (flaw !== null) return `BROKEN  ${slug}: ${flaw}${tail}`;
  return `ok      ${slug}: ${head.position} records${tail}  ${head.hash}`;
}
