import type { LogStream } from './cri-record.ts';
import { compare, type Position } from './position.ts';
import { readBackwards } from './read-backwards.ts';
import type { Selection } from './selection.ts';

/** Where the newest `count` lines of a log begin, of those selected after `least`. */
export async function beginOfTail(
  folder: string,
  count: number,
  selection: Selection,
  least: Position,
): Promise<Position> {
  let begin: Position | null = null;
  let lines = 0;
  const begun = new Set<LogStream>();
  for await (const record of readBackwards(folder)) {
    begin ??= record.end;
    if (compare(record.begin, least) < 0 || selection.isTooOld(record.time)) break;
    if (!selection.has(record)) continue;
    // a partial record belongs to the line of the next one of its stream, if there is one
    if (!record.isPartial || !begun.has(record.stream)) {
      if (lines === count) break;
      lines++;
    }
    begun.add(record.stream);
    begin = record.begin;
  }
  return begin === null || compare(begin, least) < 0 ? least : begin;
}
