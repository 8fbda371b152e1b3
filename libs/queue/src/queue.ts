import {
  type BuildCommand,
  BuildCommandSchema,
  type NodeCommand,
  NodeCommandSchema,
} from '@slipway/contracts';
import type { z } from 'zod';

/** A queue and what is on it. */
export interface CommandQueue<Command> {
  /** BullMQ takes no colons */
  name: string;
  schema: z.ZodType<Command>;
}

/** What one node is told. */
export function nodeQueue(nodeId: string): CommandQueue<NodeCommand> {
  return { name: `node-${nodeId}`, schema: NodeCommandSchema };
}

/** Builds, for whichever node has a place free. */
export const BUILDS: CommandQueue<BuildCommand> = { name: 'builds', schema: BuildCommandSchema };
