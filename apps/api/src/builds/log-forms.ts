import { EVENT_STREAM } from '@slipway/contracts';
import type { LogMediaType } from '../http/streamed.ts';
import type { StoredOutput } from './build.store.ts';

/** How a build's output is sent. */
interface LogForm {
  of(piece: StoredOutput): string;
  idle: string;
  end: string;
}

const FORMS: Readonly<Record<LogMediaType, LogForm>> = {
  'text/plain': { of: ({ text }) => text, idle: '', end: '' },
  'application/x-ndjson': {
    of: (piece) => `${JSON.stringify({ ...plain(piece), cursor: String(piece.id) })}\n`,
    ...{ idle: '', end: '' },
  },
  'text/event-stream': {
    ...EVENT_STREAM,
    of: (piece) => EVENT_STREAM.event(String(piece.id), plain(piece)),
  },
};

function plain({ time, step, text }: StoredOutput): object {
  return { time, step, text };
}

/** @param portions an empty one says only that it goes on */
export async function* formatted(
  portions: AsyncIterable<StoredOutput[]>,
  mediaType: LogMediaType,
): AsyncGenerator<Uint8Array> {
  const form = FORMS[mediaType];
  yield new Uint8Array(); // who follows one that is silent has the answer's head at once
  for await (const pieces of portions) {
    const text = pieces.length > 0 ? pieces.map(form.of).join('') : form.idle;
    if (text !== '') yield Buffer.from(text);
  }
  if (form.end !== '') yield Buffer.from(form.end);
}
