import { z } from 'zod';

export const Me = z
  .object({
    user: z
      .object({ id: z.string(), email: z.string(), name: z.string() })
      .nullable()
      .describe('Who is signed in; null with an API key'),
    isOperator: z.boolean().describe('May manage nodes and what belongs to the platform itself'),
    organizations: z.array(
      z.object({
        id: z.string(),
        slug: z.string(),
        name: z.string(),
        role: z
          .string()
          .nullable()
          .describe('null: a key with scopes')
          .meta({ examples: ['owner', 'admin', 'developer', 'responder', 'viewer'] }),
        permissions: z
          .array(z.string())
          .describe('What one may do there; with a key of one project, only in that')
          .meta({ examples: [['containers:read', 'images:write']] }),
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
