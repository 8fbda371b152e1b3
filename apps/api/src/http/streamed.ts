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
export const LOG = new Streamed('text/plain', 'application/x-ndjson');

/** The header's value for it. */
export function contentTypeOf(format: string): string {
  return format === 'text/plain' ? 'text/plain; charset=utf-8' : format;
}
