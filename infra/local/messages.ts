import { z } from 'zod';

/** What the supervisor tells the `npm start` that started it. */
export const SupervisorMessageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['line', 'begun']), text: z.string() }),
  /** this instance is the supervisor's now: nobody else clears it away */
  z.object({ type: z.literal('held') }),
  /** another process has this instance: it runs, or is being started or stopped */
  z.object({ type: z.literal('taken') }),
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('failed'), message: z.string() }),
]);

export type SupervisorMessage = z.infer<typeof SupervisorMessageSchema>;
