import { z } from 'zod';

/** What an agent is told over its node's queue: to look at a container, since something else is desired now. */
export const NodeCommandSchema = z.strictObject({
  engineId: z.string(),
  /** finds the request that led to it in all logs */
  requestId: z.string(),
});
export type NodeCommand = z.infer<typeof NodeCommandSchema>;

/** What agents are told over the queue of builds: that this one waits. They take the one whose turn it is. */
export const BuildCommandSchema = z.strictObject({
  buildId: z.string(),
  requestId: z.string(),
});
export type BuildCommand = z.infer<typeof BuildCommandSchema>;

/** What the outbox holds. */
export const CommandSchema = z.union([NodeCommandSchema, BuildCommandSchema]);
export type Command = z.infer<typeof CommandSchema>;
