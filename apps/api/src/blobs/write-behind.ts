import type { FileHandle } from 'node:fs/promises';

/** One write of this much costs a fraction of many small ones; more of it gains nothing, and takes memory. */
const GATHER_BYTES = 256 * 1024;
/** However small they are: each costs memory besides its bytes. */
const GATHER_CHUNKS = 64;

/**
 * Writes what comes, from `position` on; while one part is written the next one is gathered.
 * @returns where it ended. @throws what the source or the disk throws, once nothing more is written
 */
export async function writeBehind(
  file: FileHandle,
  position: number,
  source: AsyncIterable<Buffer>,
): Promise<number> {
  let gathered: Buffer[] = [];
  let gatheredBytes = 0;
  let end = position;
  let written = Promise.resolve();
  const write = async (): Promise<void> => {
    await written;
    written = writeAll(file, gathered, end);
    written.catch(() => {}); // told to whoever awaits it next
    end += gatheredBytes;
    gathered = [];
    gatheredBytes = 0;
  };
  try {
    for await (const chunk of source) {
      gathered.push(chunk);
      gatheredBytes += chunk.length;
      if (gatheredBytes >= GATHER_BYTES || gathered.length >= GATHER_CHUNKS) await write();
    }
    if (gatheredBytes > 0) await write();
  } catch (error) {
    await written.catch(() => {});
    throw error;
  }
  await written;
  return end;
}

/** A disk that gets full takes a part, and says so when it is asked to take the rest. */
async function writeAll(file: FileHandle, chunks: Buffer[], position: number): Promise<void> {
  const { bytesWritten } = await file.writev(chunks, position);
  if (bytesWritten === chunks.reduce((sum, { length }) => sum + length, 0)) {
    for (const chunk of chunks) free(chunk);
    return;
  }
  const rest = Buffer.concat(chunks).subarray(bytesWritten);
  await writeAll(file, [rest], position + bytesWritten);
}

/**
 * Left to the garbage collector, which comes round for every few megabytes, a layer's chunks cost more
 * than all else that is done with them. A slice of something larger is left alone.
 */
function free({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
