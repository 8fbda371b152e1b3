import { type FileHandle, open } from 'node:fs/promises';
import { parseRecord } from './cri-record.ts';
import { logFilesOf } from './log-file.ts';
import type { Position } from './position.ts';
import type { ReadRecord } from './read-log.ts';

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

interface PlacedRecord extends ReadRecord {
  begin: Position;
}

/** The records of a container's log, the newest first. */
export async function* readBackwards(folder: string): AsyncGenerator<PlacedRecord> {
  for (const { number, path } of (await logFilesOf(folder)).toReversed()) {
    const file = await open(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null; // rotated away meanwhile
      throw error;
    });
    if (file === null) continue;
    try {
      for await (const { bytes, offset } of linesBackwards(file)) {
        const record = parseRecord(bytes);
        const end = { number, offset: offset + bytes.length + 1 };
        if (record !== null) yield { ...record, begin: { number, offset }, end };
      }
    } finally {
      await file.close();
    }
  }
}

interface Line {
  /** without its newline */
  bytes: Buffer;
  offset: number;
}

/** What follows the last newline is none. */
async function* linesBackwards(file: FileHandle): AsyncGenerator<Line> {
  let { size: begin } = await file.stat();
  let known: Buffer = Buffer.alloc(0); // of the file, from `begin` on
  let isEndKnown = false;
  while (begin > 0) {
    const chunk = Buffer.alloc(Math.min(begin, CHUNK_BYTES));
    begin -= chunk.length;
    await file.read(chunk, 0, chunk.length, begin);
    known = Buffer.concat([chunk, known]);
    if (!isEndKnown) {
      known = known.subarray(0, known.lastIndexOf(NEWLINE) + 1);
      isEndKnown = known.length > 0;
    }
    for (let start = lastLineOf(known); start > 0; start = lastLineOf(known)) {
      yield { bytes: known.subarray(start, -1), offset: begin + start };
      known = known.subarray(0, start);
    }
  }
  if (known.length > 0) yield { bytes: known.subarray(0, -1), offset: 0 };
}

/** Where the last of whole lines begins; 0: nobody knows whether it begins earlier. */
function lastLineOf(lines: Buffer): number {
  return lines.length < 2 ? 0 : lines.lastIndexOf(NEWLINE, lines.length - 2) + 1;
}
