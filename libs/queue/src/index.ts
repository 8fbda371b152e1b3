export { BUILDS, type CommandQueue, nodeQueue } from './queue.ts';
export { Queues } from './queues.ts';
export { type QueueWorker, workOn } from './worker.ts';
