import { connect } from '@slipway/redis';
import { type Job, Worker } from 'bullmq';
import type { CommandQueue } from './queue.ts';

export interface QueueWorker {
  /** Takes nothing new, and waits for what is under way. */
  close(): Promise<void>;
}

/**
 * Takes a queue's commands. A worker that is killed in the middle of one leaves it to the next
 * worker: BullMQ's defaults would give it up at the second time.
 * @param handlers.sideBySide how many are taken at a time
 * @param handlers.onCommand `waitedMs`: how long it was on the queue
 * @param handlers.onGap commands may have been lost: after each (re)connection
 */
export function workOn<Command>(
  url: string,
  { name, schema }: CommandQueue<Command>,
  handlers: {
    sideBySide: number;
    onCommand(command: Command, waitedMs: number): Promise<void>;
    onGap(): void;
  },
): QueueWorker {
  const connection = connect(url, { maxRetriesPerRequest: null });
  connection.on('ready', handlers.onGap);
  const take = ({ data, timestamp }: Job): Promise<void> =>
    handlers.onCommand(schema.parse(data), Date.now() - timestamp);
  const worker = new Worker(name, take, {
    connection,
    concurrency: handlers.sideBySide,
    lockDuration: 10_000,
    stalledInterval: 3_000,
    maxStalledCount: 1_000,
    skipVersionCheck: true,
  });
  worker.on('error', () => {}); // Redis is away: it goes on when that is back
  return {
    async close() {
      await worker.close();
      connection.disconnect();
    },
  };
}
