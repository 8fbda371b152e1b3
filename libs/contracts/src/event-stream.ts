/**
 * What a log's `text/event-stream` is made of.
 * @see WHATWG HTML, "Server-sent events"
 */
export const EVENT_STREAM = {
  /** when there has been nothing for a while, so that nobody takes the stream for dead */
  idle: ':\n\n',
  /** when nothing more comes: a client comes back when a stream ends, unless it is told that it may go */
  end: 'event: end\ndata: {}\n\n',
  /** @param id with which a client goes on that was cut off, as `Last-Event-ID` */
  event: (id: string, data: object): string => `id: ${id}\ndata: ${JSON.stringify(data)}\n\n`,
};

/** So long a stream that is followed may be without a sign of life, in ms. */
export const IDLE_EVERY_MS = 15_000;
