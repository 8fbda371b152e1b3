import { z } from 'zod';
import type { StoredOutput } from './build.store.ts';

const LineSchema = z.strictObject({
  id: z.string().transform(BigInt),
  attempt: z.int(),
  step: z.int().nullable(),
  time: z.string(),
  text: z.string(),
});

/** What a build has written, as it is archived: a line of JSON for each piece. */
export function linesOf(pieces: readonly StoredOutput[]): Buffer {
  const lines = pieces.map((piece) => JSON.stringify({ ...piece, id: String(piece.id) }));
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}

/** What was archived, a portion for each chunk that completes a line. */
export async function* outputOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<StoredOutput[]> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines.map((line) => LineSchema.parse(JSON.parse(line)));
  }
}
