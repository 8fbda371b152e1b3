import { createReadStream } from 'node:fs';
import { type LogRecord, parseRecord } from './cri-record.ts';
import { logFilesOf } from './log-file.ts';
import { BEGIN, type Position } from './position.ts';

const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

export interface ReadRecord extends LogRecord {
  /** where the next record begins */
  end: Position;
}

/** The records of a container's log, the oldest first, some at a time. */
export async function* readLog(folder: string, begin = BEGIN): AsyncGenerator<ReadRecord[]> {
  for (const { number, path } of await logFilesOf(folder)) {
    if (number < begin.number) continue;
    let rest: Buffer = Buffer.alloc(0);
    let offset = number === begin.number ? begin.offset : 0;
    try {
      const options = { start: offset, highWaterMark: CHUNK_BYTES };
      for await (const chunk of createReadStream(path, options)) {
        const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        const records: ReadRecord[] = [];
        let start = 0;
        for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
          const record = parseRecord(bytes.subarray(start, end));
          offset += end + 1 - start;
          start = end + 1;
          if (record !== null) records.push({ ...record, end: { number, offset } });
        }
        rest = Buffer.from(bytes.subarray(start));
        if (records.length > 0) yield records;
      }
    } catch (error) {
      // rotated away as it was read
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
