import { z } from 'zod';

/** Of a list: how many, and behind which identifier. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().optional().describe("The last page's `nextCursor`"),
});

/** @param rows one more than `limit` when another page follows */
export function pageOf<Row extends { id: string }, Item>(
  rows: readonly Row[],
  limit: number,
  itemOf: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const nextCursor = rows.length > limit ? (shown.at(-1)?.id ?? null) : null;
  return { items: shown.map(itemOf), nextCursor };
}

/** The body of such a list. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().describe('For the next page; null: this is the last'),
  });
}

/** Of a wait for what ends once. */
export function waitQuery<const State extends string>(states: readonly State[]) {
  return z.strictObject({
    state: oneOrSeveral(states)
      .default([])
      .describe('One or several with commas; when left out: until it is over')
      .meta({ examples: ['succeeded,failed'] }),
    timeoutMs,
  });
}

/** One or several of `values`, with commas. */
export function oneOrSeveral<const Value extends string>(values: readonly Value[]) {
  return z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(values)));
}

/** How long a call may wait. */
export const timeoutMs = z.coerce.number().int().min(0).max(60_000).default(30_000);
