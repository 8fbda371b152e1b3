import { createReadStream } from 'node:fs';
import { type LogRecord, parseRecord } from './cri-record.ts';
import { logFilesOf } from './log-file.ts';

const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

export interface ReadRecord extends LogRecord {
  /** where the next record begins: the file's number and the offset in it */
  cursor: string;
}

/** The records of a container's log, the oldest first, some at a time. */
export async function* readLog(folder: string): AsyncGenerator<ReadRecord[]> {
  for (const { number, path } of await logFilesOf(folder)) {
    let rest: Buffer = Buffer.alloc(0);
    let offset = 0;
    try {
      for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
        const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        const records: ReadRecord[] = [];
        let begin = 0;
        for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, begin)) {
          const record = parseRecord(bytes.subarray(begin, end));
          offset += end + 1 - begin;
          begin = end + 1;
          if (record !== null) records.push({ ...record, cursor: `${number}.${offset}` });
        }
        rest = Buffer.from(bytes.subarray(begin));
        yield records;
      }
    } catch (error) {
      // rotated away as it was read
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
