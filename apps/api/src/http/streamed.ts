import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';
import { invalid } from './validate.ts';

/** An answer that is no JSON and may be endless; its handler says of which of the media types it is. */
export class Streamed<MediaType extends string = string> {
  readonly mediaTypes: readonly MediaType[];
  readonly #usual: MediaType;

  constructor(usual: MediaType, ...others: MediaType[]) {
    this.mediaTypes = [usual, ...others];
    this.#usual = usual;
  }

  /** The first that `Accept` names, else the first of all. */
  chosenBy({ accept = '' }: { accept?: string | undefined }): MediaType {
    return this.mediaTypes.find((known) => accept.includes(known)) ?? this.#usual;
  }
}

/** What somebody wrote: as it was, or piece by piece with what is known of each. */
export const LOG = new Streamed('text/plain', 'application/x-ndjson', 'text/event-stream');
export type LogMediaType = (typeof LOG.mediaTypes)[number];

/** The header's value for it. */
export function contentTypeOf(format: string): string {
  return format === 'text/plain' ? 'text/plain; charset=utf-8' : format;
}

/**
 * Where a client of server-sent events that comes back was.
 * @param cursor what their `id`s are like
 */
export function lastEventId(
  { 'last-event-id': id }: IncomingHttpHeaders,
  cursor: z.ZodType<string>,
): string | undefined {
  if (id === undefined || id === '') return undefined;
  const read = cursor.safeParse(id);
  if (read.success) return read.data;
  throw invalid('header.last-event-id', "must be a line's `cursor`");
}
