import { type NodeCommand, NodeCommandSchema } from '@slipway/contracts';
import { type CommandQueue, Queues, workOn } from '@slipway/queue';
import { timed } from './starter.ts';

const QUEUE: CommandQueue<NodeCommand> = { name: 'bench', schema: NodeCommandSchema };

/** A queue of BullMQ's without a platform. */
export function bareQueue(redisUrl: string): { send(): Promise<number> } & AsyncDisposable {
  const queues = new Queues(redisUrl);
  let taken = Promise.withResolvers<void>();
  const worker = workOn(redisUrl, QUEUE, {
    ...{ sideBySide: 1, onCommand: async () => taken.resolve(), onGap() {} },
  });
  return {
    /** @returns how many ms it took until the command was taken */
    async send() {
      taken = Promise.withResolvers();
      const { ms } = await timed(async () => {
        await queues.send(QUEUE.name, [{ engineId: 'bench', requestId: 'bench' }]);
        await taken.promise;
      });
      return ms;
    },
    async [Symbol.asyncDispose]() {
      await worker.close();
      await queues.close();
    },
  };
}
