/** Longer lines are several records. */
const MAX_LINE_BYTES = 16 * 1024;
const NEWLINE = 0x0a;

export type LogStream = 'stdout' | 'stderr';

/**
 * Turns what one stream of a program writes into records of a log file, one a line:
 * `2026-01-01T00:00:00.000Z stdout F text`. `P` in place of `F`: the line goes on in the next record.
 * @see Kubernetes, design-proposals, kubelet-cri-logging.md
 */
export class RecordWriter {
  readonly #stream: LogStream;
  /** of a line whose end has not come */
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: LogStream) {
    this.#stream = stream;
  }

  add(chunk: Buffer, time: Date): Buffer {
    const records: Buffer[] = [];
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const end = bytes.subarray(0, MAX_LINE_BYTES + 1).indexOf(NEWLINE);
      if (end === -1 && bytes.length <= MAX_LINE_BYTES) break;
      const length = end === -1 ? MAX_LINE_BYTES : end;
      records.push(this.#record(bytes.subarray(0, length), end !== -1, time));
      bytes = bytes.subarray(end === -1 ? length : length + 1);
    }
    this.#rest = Buffer.from(bytes);
    return Buffer.concat(records);
  }

  /** What a program wrote last without ending the line. */
  end(time: Date): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest.length === 0 ? rest : this.#record(rest, false, time);
  }

  #record(line: Buffer, isWhole: boolean, time: Date): Buffer {
    const head = `${time.toISOString()} ${this.#stream} ${isWhole ? 'F' : 'P'} `;
    return Buffer.concat([Buffer.from(head), line, Buffer.from('\n')]);
  }
}

export interface LogRecord {
  /** RFC 3339 */
  time: string;
  stream: LogStream;
  line: Buffer;
  /** the line goes on in the next record of its stream, or its end never came */
  isPartial: boolean;
}

/** @param record without its newline. @returns null for what is none, such as a record cut short by a kill */
export function parseRecord(record: Buffer): LogRecord | null {
  const head = /^(\S+) (stdout|stderr) ([FP]) /.exec(record.toString('latin1', 0, 64));
  if (head === null) return null;
  const [whole, time = '', stream, tag] = head;
  return {
    ...{ time, stream: stream as LogStream, isPartial: tag === 'P' },
    line: record.subarray(whole.length),
  };
}
