import { EVENT_STREAM } from '@slipway/contracts';
import type { LogStream } from '../logs/cri-record.ts';
import { cursorOf } from '../logs/position.ts';
import type { ReadRecord } from '../logs/read-log.ts';

/** How records are sent. */
export interface LogFormat {
  contentType: string;
  of(records: readonly ReadRecord[]): Buffer;
  /** when there has been nothing for a while, so that nobody takes the stream for dead */
  idle: string;
  /** when nothing more comes */
  end: string;
}

/** @param accept which media type; any other is as `text/plain` */
export function logFormat(accept: string | undefined, hasTimes: boolean): LogFormat {
  switch (accept) {
    case 'application/x-ndjson':
      return { contentType: accept, of: joined(asJsonLine), idle: '', end: '' };
    case 'text/event-stream':
      return { ...EVENT_STREAM, contentType: accept, of: joined(asEvent) };
    default:
      return {
        contentType: 'text/plain; charset=utf-8',
        of: joined(hasTimes ? timedText() : asText),
        ...{ idle: '', end: '' },
      };
  }
}

type Form = (record: ReadRecord) => Buffer;

const joined = (form: Form) => (records: readonly ReadRecord[]) => Buffer.concat(records.map(form));

/** Just as the program wrote it. */
function asText({ line, isPartial }: ReadRecord): Buffer {
  return isPartial ? line : Buffer.concat([line, Buffer.from('\n')]);
}

/** With its time where a line begins. */
function timedText(): Form {
  const begun = new Set<LogStream>();
  return (record) => {
    const { stream, isPartial, time } = record;
    const text = asText(record);
    const isNew = !begun.has(stream);
    if (isPartial) begun.add(stream);
    else begun.delete(stream);
    return isNew ? Buffer.concat([Buffer.from(`${time} `), text]) : text;
  };
}

function asJsonLine(record: ReadRecord): Buffer {
  return Buffer.from(`${JSON.stringify({ ...plain(record), cursor: cursorOf(record.end) })}\n`);
}

function asEvent(record: ReadRecord): Buffer {
  return Buffer.from(EVENT_STREAM.event(cursorOf(record.end), plain(record)));
}

function plain({ time, stream, line, isPartial }: ReadRecord): object {
  return { time, stream, line: String(line), ...(isPartial ? { partial: true } : {}) };
}
