import { SlugSchema } from '@slipway/contracts';
import { z } from 'zod';
import { listOf } from '../http/query.ts';

/** The body of `POST …/projects`. */
export const NewProject = z.strictObject({
  slug: SlugSchema.describe('Its name in URLs and in images: <organization>/<project>/<name>'),
  name: z.string().min(1).max(100).optional().describe('For people; the slug when it is left out'),
});
export type NewProject = z.output<typeof NewProject>;

export const Project = z
  .object({
    id: z.string(),
    organization: z.string().describe("The organization's slug"),
    slug: z.string(),
    name: z.string(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Project' });

export const ProjectList = listOf(Project).meta({ id: 'ProjectList' });
