import { closeSync, constants, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Logger } from '@slipway/log';
import { type LogStream, RecordWriter } from './cri-record.ts';
import type { LogFile } from './log-file.ts';

/** What a pipe holds. @see pipe(7) */
const PIPE_BYTES = 64 * 1024;

/** Reads one stream of a program into its log, as fast as the file takes it: until then the program waits. */
export class StreamCopy {
  /** resolves when the last of it is written */
  readonly finished: Promise<void>;
  readonly #fd: number;
  readonly #socket: Socket;
  readonly #writer: RecordWriter;
  readonly #file: LogFile;
  readonly #log: Logger;
  #writing: Promise<void> | null = null;

  /** @param fifo its path */
  constructor(fifo: string, stream: LogStream, file: LogFile, log: Logger) {
    this.#fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK); // not to wait for a writer
    const socket = polled(this.#fd);
    this.#socket = socket;
    this.#writer = new RecordWriter(stream);
    this.#file = file;
    this.#log = log;
    socket.on('readable', () => this.#pump());
    socket.on('error', () => {}); // then it closes
    this.finished = new Promise<void>((done) => socket.once('close', () => done())).then(
      async () => {
        await this.#writing;
        await this.#append(this.#writer.end(new Date()));
      },
    );
  }

  /** What was read is written, what was not stays in the FIFO. */
  stop(): void {
    this.#take();
    this.#socket.destroy();
  }

  /** A reader that came when the last writer was gone is not told of that: only a read is. */
  stopIfAbandoned(): void {
    if (this.#socket.destroyed) return;
    const piece = Buffer.alloc(PIPE_BYTES);
    let count = this.#readNow(piece);
    if (count !== null && count > 0) {
      this.#socket.push(Buffer.from(piece.subarray(0, count)));
      count = this.#readNow(piece);
    }
    if (count === 0) this.stop();
    else if (count !== null) this.#socket.push(piece.subarray(0, count));
  }

  /** @returns null: there is nothing, and may be */
  #readNow(piece: Buffer): number | null {
    try {
      return readSync(this.#fd, piece);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return null;
      throw error;
    }
  }

  #pump(): void {
    if (this.#writing !== null) return;
    this.#writing = this.#take().finally(() => {
      this.#writing = null;
      if (this.#socket.readableLength > 0) this.#pump();
    });
  }

  /** All that is in our memory: so it does not grow, and a stop loses nothing. */
  async #take(): Promise<void> {
    const chunk: Buffer | null = this.#socket.read();
    if (chunk !== null) await this.#append(this.#writer.add(chunk, new Date()));
  }

  /** What cannot be written (the disk is full) is lost: a program does not stand still for its log. */
  async #append(records: Buffer): Promise<void> {
    try {
      await this.#file.append(records);
    } catch (error) {
      this.#log.error({ err: error, bytes: records.length }, 'a log cannot be written');
    }
  }
}

/** libuv polls a FIFO as it does a socket. */
function polled(fd: number): Socket {
  try {
    return new Socket({ fd, readable: true, writable: false });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
