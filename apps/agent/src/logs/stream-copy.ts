import type { Socket } from 'node:net';
import type { Logger } from '@slipway/log';
import { type LogStream, RecordWriter } from './cri-record.ts';
import type { LogFile } from './log-file.ts';

/** Reads one stream of a program into its log, as fast as the file takes it: until then the program waits. */
export class StreamCopy {
  /** resolves when the last of it is written */
  readonly finished: Promise<void>;
  readonly #socket: Socket;
  readonly #writer: RecordWriter;
  readonly #file: LogFile;
  readonly #log: Logger;
  #writing: Promise<void> | null = null;

  constructor(socket: Socket, stream: LogStream, file: LogFile, log: Logger) {
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
