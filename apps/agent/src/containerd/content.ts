import { Turns } from '@slipway/process';
import { type CallOptions, type ContainerdRpc, unlessPresent } from './rpc.ts';

/** grpc's messages end at 4 MiB; containerd's own client writes as much at a time. */
const PIECE_BYTES = 1024 * 1024;

interface WriteAnswer {
  offset: number;
}

type Source = readonly Uint8Array[] | (() => Promise<AsyncIterable<Uint8Array>>);

/** Manifests, configurations and layers by their digests. */
export class Content {
  readonly #rpc: ContainerdRpc;
  /** containerd refuses a second write of what is being written */
  readonly #turns = new Turns();

  constructor(rpc: ContainerdRpc) {
    this.#rpc = rpc;
  }

  /** Small content, whole. */
  async read(digest: string): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    const stream = this.#rpc.serverStream<{ data: Uint8Array }>(
      'content.v1.Content/Read',
      ['ReadContentRequest', 'ReadContentResponse'],
      { digest },
    );
    for await (const { data } of stream as AsyncIterable<{ data: Uint8Array }>) chunks.push(data);
    return Buffer.concat(chunks);
  }

  /**
   * Stores what `source` has; a function is called only when the content is not there yet.
   * @throws when its bytes do not have the digest
   */
  async write(
    blob: { digest: string; size: number },
    source: Source,
    options: CallOptions & { labels?: Record<string, string> } = {},
  ): Promise<void> {
    await this.#turns.take(blob.digest, () => unlessPresent(this.#write(blob, source, options)));
  }

  async #write(
    { digest, size }: { digest: string; size: number },
    source: Source,
    options: CallOptions & { labels?: Record<string, string> },
  ): Promise<void> {
    const writer = this.#open(options);
    const begin = { ref: digest, total: size, expected: digest };
    try {
      const { offset: begun } = await writer.send({ action: 'STAT', ...begin });
      let offset = 0;
      for await (const piece of pieces(typeof source === 'function' ? await source() : source)) {
        // what an earlier attempt wrote is there; the registry is near, so it is read over
        const data = piece.subarray(Math.max(0, begun - offset));
        offset += piece.length;
        if (data.length === 0) continue;
        await writer.send({ action: 'WRITE', ref: digest, offset: offset - data.length, data });
      }
      await writer.send({ action: 'COMMIT', ...begin, offset, labels: options.labels ?? {} });
    } finally {
      writer.end();
    }
  }

  /** A write is a conversation: each message is answered before the next one. */
  #open(options: CallOptions) {
    const stream = this.#rpc.duplexStream<WriteAnswer>(
      'content.v1.Content/Write',
      ['WriteContentRequest', 'WriteContentResponse'],
      options,
    );
    let failure: Error | null = null;
    let waiting: { done(answer: WriteAnswer): void; fail(error: Error): void } | null = null;
    const fail = (error: Error): void => {
      failure = error;
      waiting?.fail(error);
    };
    stream.on('data', (answer: WriteAnswer) => waiting?.done(answer));
    stream.on('error', fail);
    stream.on('end', () => fail(new Error('containerd ended the write')));
    return {
      send: (message: object): Promise<WriteAnswer> =>
        new Promise((done, reject) => {
          if (failure !== null) return reject(failure);
          waiting = { done, fail: reject };
          stream.write(message);
        }),
      end: () => void stream.end(),
    };
  }
}

/** As large as may be, however small the chunks are; each is valid until the next one is asked for. */
async function* pieces(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + PIECE_BYTES - filled);
      piece.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < PIECE_BYTES) continue;
      yield piece;
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
