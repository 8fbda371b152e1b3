import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from '@slipway/log';
import { answerTo, type Zone } from './dns-answer.ts';
import type { Names } from './names.ts';

const PORT = 53;
/** Of one TCP connection: more is no resolver's. */
const MAX_QUERIES = 100;
const IDLE_MS = 5_000;
const LENGTH_BYTES = 2;

/** Answers DNS on the node's own address in each subnet, with the names of those who are there. */
export class Resolver {
  readonly #names: Names;
  readonly #log: Logger;
  readonly #open = new Map<string, Promise<Listener | null>>();

  constructor(names: Names, log: Logger) {
    this.#names = names;
    this.#log = log;
  }

  /** Nothing when it listens there already. When it cannot it is logged, and the next call tries again. */
  async open(gateway: string): Promise<void> {
    const opening = this.#open.get(gateway) ?? this.#listen(gateway);
    this.#open.set(gateway, opening);
    if ((await opening) === null) this.#open.delete(gateway);
  }

  async close(gateway: string): Promise<void> {
    const open = this.#open.get(gateway);
    this.#open.delete(gateway);
    await (await open)?.close();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((gateway) => this.close(gateway)));
  }

  async #listen(gateway: string): Promise<Listener | null> {
    try {
      return await Listener.open(gateway, {
        addressesOf: (name) => this.#names.addressesOf(gateway, name),
        nameOf: (address) => this.#names.nameOf(gateway, address),
      });
    } catch (error) {
      this.#log.error({ err: error, gateway }, 'names of containers cannot be resolved');
      return null;
    }
  }
}

class Listener {
  readonly #datagrams: DatagramSocket;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #zone: Zone;

  private constructor(zone: Zone) {
    this.#zone = zone;
    this.#datagrams = createSocket('udp4').on('message', (message, { port, address }) => {
      const answer = answerTo(message, zone);
      if (answer !== null) this.#datagrams.send(answer, port, address, () => {});
    });
    this.#server = createServer((connection) => this.#serve(connection));
    // while it opens they make it fail; later they are those of single messages and connections
    for (const socket of [this.#datagrams, this.#server]) socket.on('error', () => {});
  }

  static async open(address: string, zone: Zone): Promise<Listener> {
    const listener = new Listener(zone);
    try {
      listener.#datagrams.bind(PORT, address);
      await once(listener.#datagrams, 'listening');
      listener.#server.listen(PORT, address);
      await once(listener.#server, 'listening');
      return listener;
    } catch (error) {
      await listener.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#datagrams.close();
    for (const connection of this.#connections) connection.destroy();
    await new Promise((done) => this.#server.close(done));
  }

  /** @see RFC 7766, 8: each message behind its length */
  #serve(connection: Socket): void {
    let bytes: Buffer = Buffer.alloc(0);
    let left = MAX_QUERIES;
    this.#connections.add(connection);
    connection.on('close', () => this.#connections.delete(connection));
    connection.on('error', () => {}); // then it closes
    connection.setTimeout(IDLE_MS, () => connection.destroy());
    connection.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (bytes.length >= LENGTH_BYTES) {
        const end = LENGTH_BYTES + bytes.readUInt16BE(0);
        if (bytes.length < end) return;
        const answer = answerTo(bytes.subarray(LENGTH_BYTES, end), this.#zone);
        bytes = bytes.subarray(end);
        if (answer === null || left-- === 0) return void connection.destroy();
        connection.write(withLength(answer));
      }
    });
  }
}

function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
