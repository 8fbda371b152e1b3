export { NodeQueues } from './node-queues.ts';
export { type NodeWorker, workOnNodeQueue } from './node-worker.ts';
