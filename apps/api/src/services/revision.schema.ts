import { z } from 'zod';
import { listOf } from '../http/query.ts';
import { ShownTemplate } from './service.schema.ts';

export const Revision = z
  .object({
    id: z.string(),
    number: z.int().describe("Counts the service's, from 1"),
    template: ShownTemplate,
    imageDigest: z.string().describe("Of the image's manifest, whatever its tag is now"),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Revision' });

export const RevisionList = listOf(Revision).meta({ id: 'RevisionList' });

/** The body of `POST …/rollback`. */
export const RollBack = z.strictObject({
  revision: z
    .string()
    .optional()
    .describe('Its identifier; without one it is the last that served before the newest deploy'),
});
export type RollBack = z.output<typeof RollBack>;
