import type { Command } from '@slipway/contracts';
import { connect, type Redis } from '@slipway/redis';
import { Queue } from 'bullmq';

/** The senders' side of all queues. */
export class Queues {
  readonly #connection: Redis;
  readonly #queues = new Map<string, Queue>();

  /** @param url `redis://…`, or the path of a Unix socket */
  constructor(url: string) {
    this.#connection = connect(url, { maxRetriesPerRequest: 1, enableOfflineQueue: false });
  }

  /** @throws while Redis is away */
  async send(queue: string, commands: readonly Command[]): Promise<void> {
    const jobs = commands.map((data) => ({ name: 'look', data, opts: ENDS_WITHOUT_TRACE }));
    await this.#queueOf(queue).addBulk(jobs);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
    this.#connection.disconnect();
  }

  #queueOf(name: string): Queue {
    const known = this.#queues.get(name);
    if (known !== undefined) return known;
    const queue = new Queue(name, { connection: this.#connection, skipVersionCheck: true });
    queue.on('error', () => {});
    this.#queues.set(name, queue);
    return queue;
  }
}

/** What becomes of a command is PostgreSQL's to know. */
const ENDS_WITHOUT_TRACE = { removeOnComplete: true, removeOnFail: true };
