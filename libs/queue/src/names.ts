/** BullMQ takes no colons. */
export function nodeQueueName(nodeId: string): string {
  return `node-${nodeId}`;
}
