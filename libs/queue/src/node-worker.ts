import { type NodeCommand, NodeCommandSchema } from '@slipway/contracts';
import { Worker } from 'bullmq';
import { connect } from './connection.ts';
import { nodeQueueName } from './names.ts';

export interface NodeWorker {
  /** Takes nothing new, and waits for what is under way. */
  close(): Promise<void>;
}

/** Commands side by side: each is short, and what takes long is bounded where it is done. */
const CONCURRENCY = 50;

/**
 * Takes a node's commands. A worker that is killed in the middle of one leaves it to the next
 * worker: BullMQ's defaults would give it up at the second time.
 * @param onGap commands may have been lost: after each (re)connection
 */
export function workOnNodeQueue(
  url: string,
  nodeId: string,
  { onCommand, onGap }: { onCommand(command: NodeCommand): Promise<void>; onGap(): void },
): NodeWorker {
  const connection = connect(url, { maxRetriesPerRequest: null });
  connection.on('ready', onGap);
  const worker = new Worker(
    nodeQueueName(nodeId),
    (job) => onCommand(NodeCommandSchema.parse(job.data)),
    {
      connection,
      concurrency: CONCURRENCY,
      lockDuration: 10_000,
      stalledInterval: 3_000,
      maxStalledCount: 1_000,
      skipVersionCheck: true,
    },
  );
  worker.on('error', () => {}); // Redis is away: it goes on when that is back
  return {
    async close() {
      await worker.close();
      connection.disconnect();
    },
  };
}
