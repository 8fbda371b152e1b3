import { z } from 'zod';

export const Me = z
  .object({
    user: z
      .object({ id: z.string(), email: z.string(), name: z.string() })
      .nullable()
      .describe('Who is signed in; null with an API key, which is nobody’s'),
    isOperator: z.boolean().describe('May manage nodes and what belongs to the platform itself'),
    organizations: z.array(
      z.object({
        id: z.string(),
        slug: z.string(),
        name: z.string(),
        role: z.string().meta({ examples: ['owner', 'admin', 'developer', 'viewer'] }),
      }),
    ),
    projects: z.array(
      z.object({
        id: z.string(),
        organization: z.string().describe("The organization's slug"),
        slug: z.string(),
        name: z.string(),
      }),
    ),
  })
  .meta({ id: 'Me' });
export type Me = z.input<typeof Me>;
