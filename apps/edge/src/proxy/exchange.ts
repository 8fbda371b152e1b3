import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '@slipway/contracts';
import type { Dispatcher, Pool } from 'undici';
import { headersBack } from './headers.ts';
import { switchingHead, tunnel } from './tunnel.ts';

/** No connection could be made: nothing was sent, so that it may be tried elsewhere. */
export class NotReached extends Error {}

/** Who asked. */
interface Client {
  response: ServerResponse;
  /** of one that wants to leave HTTP */
  head: Buffer | null;
  /** is called with the length of each piece that the container sends it: of bodies, or once it has left HTTP */
  onBytes(count: number): void;
}

/**
 * Sends a request and hands its answer, as it comes, to the client.
 * @returns when the answer is under way or the client has gone away; what happens then is dealt with
 * @throws NotReached, or AppError for the client
 */
export function exchange(
  pool: Pool,
  options: Dispatcher.DispatchOptions,
  client: Client,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  pool.dispatch(options, new Exchange(client, { resolve, reject }));
  return promise;
}

type RawHeaders = NonNullable<Dispatcher.DispatchController['rawHeaders']>;

class Exchange implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse;
  readonly #head: Buffer | null;
  readonly #onBytes: (count: number) => void;
  readonly #outcome: { resolve(): void; reject(error: Error): void };
  #isSent = false;
  #hasBody = false;

  constructor(
    { response, head, onBytes }: Client,
    outcome: { resolve(): void; reject(error: Error): void },
  ) {
    this.#response = response;
    this.#head = head;
    this.#onBytes = onBytes;
    this.#outcome = outcome;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#isSent = true;
    const response = this.#response;
    const abort = (): void => controller.abort(new Error('the client has gone away'));
    if (response.closed) {
      abort();
      return;
    }
    response.on('drain', () => controller.resume());
    response.once('close', () => {
      if (!response.writableFinished) abort();
    });
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    duplex: unknown,
  ): void {
    const container = duplex as Socket;
    const client = this.#response.socket;
    this.#outcome.resolve();
    if (client === null || client.destroyed) {
      container.destroy();
      return;
    }
    const protocol = String(headers.upgrade ?? '');
    client.write(
      switchingHead(headersBack(asList(controller.rawHeaders), status), protocol),
      'latin1',
    );
    this.#response.statusCode = status;
    this.#response.detachSocket(client);
    client.once('close', () => this.#response.emit('close'));
    if (this.#head !== null && this.#head.length > 0) container.write(this.#head);
    container.on('data', ({ length }: Buffer) => this.#onBytes(length));
    tunnel(client, container);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return;
    try {
      this.#response.writeHead(status, headersBack(asList(controller.rawHeaders), status));
    } catch (error) {
      controller.abort(error as Error); // 999, say
      return;
    }
    // a body that came with the head goes out with it
    process.nextTick(() => {
      if (!this.#hasBody) this.#response.flushHeaders();
    });
    this.#outcome.resolve();
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#hasBody = true;
    this.#onBytes(chunk.length);
    if (!this.#response.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#hasBody = true;
    this.#response.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#response.headersSent) this.#response.destroy();
    if (this.#response.closed) this.#outcome.resolve();
    else this.#outcome.reject(failureOf(error, this.#isSent));
  }
}

/** Bytes are kept as they are: as latin1, which node writes too. */
function asList(rawHeaders: RawHeaders | null | undefined): string[] {
  if (!Array.isArray(rawHeaders)) throw new Error('undici has no raw headers');
  return rawHeaders.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}

function failureOf(error: Error & { code?: string }, isSent: boolean): Error {
  const cause = error;
  if (error.code === 'UND_ERR_INVALID_ARG' || error.code === 'UND_ERR_NOT_SUPPORTED') {
    return new AppError('malformed-request', 'The request cannot be forwarded.', { cause });
  }
  if (!isSent) return new NotReached('no connection', { cause });
  return error.code === 'UND_ERR_HEADERS_TIMEOUT'
    ? new AppError('upstream-timeout', 'The service took too long to answer.', { cause })
    : new AppError('upstream-failed', 'The service broke off without a valid answer.', { cause });
}
