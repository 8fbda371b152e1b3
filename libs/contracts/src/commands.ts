import { z } from 'zod';

/** What an agent is told over its node's queue: to look at a container, since something else is desired now. */
export const NodeCommandSchema = z.strictObject({
  engineId: z.string(),
  /** finds the request that led to it in all logs */
  requestId: z.string(),
});
export type NodeCommand = z.infer<typeof NodeCommandSchema>;
