/** An answer that is no JSON and may be endless; its handler says of which of the media types it is. */
export class Streamed {
  readonly mediaTypes: readonly string[];

  constructor(...mediaTypes: string[]) {
    this.mediaTypes = mediaTypes;
  }
}
