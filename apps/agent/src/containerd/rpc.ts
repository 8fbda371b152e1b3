import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { messageType } from './proto.ts';

/** What a caller may say besides the request. */
export interface CallOptions {
  /** what is made by the call is kept from the garbage collector by this lease */
  lease?: string;
}

const TO_OBJECT = { longs: Number, enums: String, defaults: true, arrays: true, objects: true };

/** A connection to containerd's socket for one of its namespaces; reconnects by itself. */
export class ContainerdRpc {
  readonly #client: Client;
  readonly #namespace: string;

  constructor(socket: string, namespace: string) {
    this.#namespace = namespace;
    this.#client = new Client(`unix://${socket}`, credentials.createInsecure(), {
      'grpc.max_receive_message_length': 16 * 1024 * 1024,
      'grpc.max_reconnect_backoff_ms': 1000,
    });
  }

  /**
   * @param path e.g. `tasks.v1.Tasks/Create`
   * @throws a grpc-js ServiceError
   */
  call<Answer>(
    path: string,
    [requestType, answerType]: readonly [string, string],
    request: object,
    options: CallOptions = {},
  ): Promise<Answer> {
    return new Promise((done, fail) => {
      this.#client.makeUnaryRequest(
        fullPath(path),
        serializer(requestType),
        deserializer<Answer>(answerType),
        request,
        this.#metadata(options),
        (error, answer) => (error ? fail(error) : done(answer as Answer)),
      );
    });
  }

  serverStream<Answer>(
    path: string,
    [requestType, answerType]: readonly [string, string],
    request: object,
  ) {
    return this.#client.makeServerStreamRequest(
      fullPath(path),
      serializer(requestType),
      deserializer<Answer>(answerType),
      request,
      this.#metadata({}),
    );
  }

  duplexStream<Answer>(
    path: string,
    [requestType, answerType]: readonly [string, string],
    options: CallOptions = {},
  ) {
    return this.#client.makeBidiStreamRequest(
      fullPath(path),
      serializer(requestType),
      deserializer<Answer>(answerType),
      this.#metadata(options),
    );
  }

  close(): void {
    this.#client.close();
  }

  #metadata({ lease }: CallOptions): Metadata {
    const metadata = new Metadata({ waitForReady: true });
    metadata.set('containerd-namespace', this.#namespace);
    if (lease !== undefined) metadata.set('containerd-lease', lease);
    return metadata;
  }
}

/** null when there is no such thing. */
export function unlessAbsent<T>(call: Promise<T>): Promise<T | null> {
  return unless(status.NOT_FOUND, call);
}

/** null when there is one already. */
export function unlessPresent<T>(call: Promise<T>): Promise<T | null> {
  return unless(status.ALREADY_EXISTS, call);
}

export function isPresent(error: unknown): boolean {
  return (error as ServiceError).code === status.ALREADY_EXISTS;
}

async function unless<T>(code: status, call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if ((error as ServiceError).code === code) return null;
    throw error;
  }
}

/**
 * What may be otherwise a moment later: containerd, or the process that keeps a container, was away
 * or ended in mid-call; or another call, maybe of an agent that was killed meanwhile, is not over.
 */
const PASSES: readonly status[] = [
  ...[status.UNAVAILABLE, status.CANCELLED, status.INTERNAL, status.DEADLINE_EXCEEDED],
  ...[status.NOT_FOUND, status.ALREADY_EXISTS],
];
/** what has the code `unknown`, as the runtime's own words have */
const SHIM_IS_NOT_THERE = /ttrpc: closed|failed to start shim/;

/** containerd, or the runtime, answered and said no, and would say so again. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error) || !('metadata' in error)) return false;
  const { code, details } = error as ServiceError;
  return !PASSES.includes(code) && !SHIM_IS_NOT_THERE.test(details);
}

/** Of containerd's or the runtime's own words, without what grpc puts before them. */
export function detailsOf(error: unknown): string {
  return (error as ServiceError).details ?? String((error as Error).message);
}

function fullPath(path: string): string {
  return `/containerd.services.${path}`;
}

function serializer(type: string): (message: object) => Buffer {
  const Type = messageType(type);
  return (message) => {
    const { buffer, byteOffset, byteLength } = Type.encode(Type.fromObject(message)).finish();
    return Buffer.from(buffer, byteOffset, byteLength); // without a copy: it may be a piece of a layer
  };
}

function deserializer<T>(type: string): (bytes: Buffer) => T {
  const Type = messageType(type);
  return (bytes) => Type.toObject(Type.decode(bytes), TO_OBJECT) as T;
}

/** A message by itself, as `Any` holds it. */
export function encode(type: string, message: object): Buffer {
  return serializer(type)(message);
}

export function decode<T>(type: string, bytes: Uint8Array): T {
  return deserializer<T>(type)(Buffer.from(bytes));
}
