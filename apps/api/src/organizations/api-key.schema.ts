import { z } from 'zod';
import { PERMISSIONS, ROLES } from '../access/permissions.ts';
import { listOf } from '../http/query.ts';
import { Person } from './member.schema.ts';

/** The body of `POST …/api-keys`. */
export const NewApiKey = z
  .strictObject({
    name: z.string().trim().min(1).max(100).describe('What it is for'),
    role: z.enum(ROLES).optional().describe('What it may do: all that a role may'),
    scopes: z
      .array(z.enum(PERMISSIONS))
      .min(1)
      .optional()
      .describe('What it may do, in place of `role`: these permissions')
      .meta({ examples: [['builds:write', 'services:write']] }),
    project: z
      .string()
      .max(64)
      .optional()
      .describe('Slug or identifier of the one project that it is for; all of them when left out'),
    expiresAt: z.iso
      .datetime({ offset: true })
      .transform((time) => new Date(time))
      .refine((time) => time.getTime() > Date.now(), 'is over')
      .optional()
      .describe('When it ends; never when left out, or with the key that it is made with'),
  })
  .refine(({ role, scopes }) => (role === undefined) !== (scopes === undefined), {
    path: ['scopes'],
    error: 'or a role has to say what the key may do, and not both',
  });
export type NewApiKey = z.output<typeof NewApiKey>;

const apiKey = {
  id: z.string(),
  name: z.string(),
  prefix: z.string().describe('What it begins with'),
  role: z.string().nullable().describe('null: it has scopes'),
  scopes: z.array(z.string()).describe('None: it has a role'),
  project: z.string().nullable().describe('Slug of the one project it is for; null: all of them'),
  createdBy: Person.nullable().describe('Whose it is; null: the operator’s'),
  createdWith: z.string().nullable().describe('The key that it was made with, and ends with'),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable().describe('null: never'),
  lastUsedAt: z.iso.datetime().nullable().describe('To a minute; null: not yet'),
};

export const ApiKey = z.object(apiKey).meta({ id: 'ApiKey' });
export const ApiKeyList = listOf(ApiKey).meta({ id: 'ApiKeyList' });

export const IssuedApiKey = z
  .object({ ...apiKey, token: z.string().describe('The key itself: shown this once') })
  .meta({ id: 'IssuedApiKey' });
