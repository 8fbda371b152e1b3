import { z } from 'zod';
import { flag } from './flag.ts';

const time = z.iso.datetime({ offset: true });

/** A place in a container's log, as its records name theirs: the number of a file, and the offset in it. */
export const LogCursorSchema = z
  .string()
  .regex(/^\d{1,15}\.\d{1,15}$/, "must be a line's `cursor`");

/** Which part of a container's log, as a URL's query. */
export const LogQuerySchema = z.strictObject({
  follow: flag('And what it writes from now on, until it rests'),
  tail: z.coerce.number().int().min(0).optional().describe('Only so many lines, the newest'),
  since: time.optional().describe('Only what was written then or later'),
  until: time.optional().describe('Only what was written then or earlier'),
  stream: z.enum(['stdout', 'stderr']).optional().describe('Only this one'),
  timestamps: flag(
    'Each line of `text/plain` begins with its time; the other types have it anyway',
  ),
  after: LogCursorSchema.optional().describe(
    'Only what comes after the line with this `cursor`: to go on where an earlier answer ended',
  ),
});
export type LogQuery = z.output<typeof LogQuerySchema>;
