import { readdir } from 'node:fs/promises';
import type { Database } from '@slipway/db';

/**
 * Of every table, what a caller can have changed: a node’s sign of life and a key’s last use are not, and
 * neither is what is recorded of a call that is refused, or what the platform counts.
 */
const EVERY_ROW = `SELECT relname AS table, query_to_xml(format(
    'SELECT to_jsonb(t) - ''seenAt'' - ''lastUsedAt'' AS row FROM %I t ORDER BY 1', relname
  ), false, false, '')::text AS rows
  FROM pg_class WHERE relname NOT LIKE 'Audit%' AND relname NOT IN ('Usage', 'StoredUntil', 'Unlinked')
    AND relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname`;

/** All that is stored, in the database and beside it: for `toEqual` */
export async function contentsOf({ pool }: Database, blobsDir: string): Promise<unknown> {
  const [{ rows }, files] = await Promise.all([
    pool.query(EVERY_ROW),
    readdir(blobsDir, { recursive: true }),
  ]);
  return { rows, files: files.toSorted() };
}
