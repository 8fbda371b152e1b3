import type { FileHandle } from 'node:fs/promises';
import type { Writable } from 'node:stream';

/** Of one of the two: larger ones are no faster, and a slow client holds both. */
const BUFFER_BYTES = 256 * 1024;

/**
 * Two buffers by turns, one read into while the other is on its way: with a new one for each piece the
 * garbage collector, and with it every request, comes to a stop every few megabytes.
 * @param sink is done with a chunk when it calls back, as a socket is; when it is closed, this ends
 * @throws when the file cannot be read, or is shorter
 */
export async function sendFile(
  file: FileHandle,
  { first, last }: { first: number; last: number },
  sink: Writable,
): Promise<void> {
  let next = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  let other = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  let sent = Promise.resolve();
  for (let position = first; position <= last && !sink.destroyed; ) {
    const length = Math.min(BUFFER_BYTES, last + 1 - position);
    const { bytesRead } = await file.read(next, 0, length, position);
    if (bytesRead === 0) throw new Error(`the file ends at ${position}, before ${last}`);
    await sent;
    sent = taken(sink, next.subarray(0, bytesRead));
    [next, other] = [other, next];
    position += bytesRead;
  }
  await sent;
}

/** Resolves when the sink is done with it, or gone. */
function taken(sink: Writable, chunk: Buffer): Promise<void> {
  return new Promise((done) => {
    sink.once('close', done);
    sink.write(chunk, () => {
      sink.off('close', done);
      done();
    });
  });
}
