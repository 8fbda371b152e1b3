import { SlugSchema } from '@slipway/contracts';
import { z } from 'zod';
import { listOf } from '../http/query.ts';
import type { OrganizationRow } from './organization.store.ts';

const Name = z.string().trim().min(1).max(100).describe('For people');

/** The body of `POST /v1/organizations`. */
export const NewOrganization = z.strictObject({
  slug: SlugSchema.describe('Its name in URLs and in images: <organization>/<project>/<name>'),
  name: Name.optional().describe('For people; the slug when it is left out'),
});
export type NewOrganization = z.output<typeof NewOrganization>;

/** The body of `PATCH /v1/organizations/{organization}`. */
export const OrganizationPatch = z.strictObject({ name: Name.optional() });

export const Organization = z
  .object({
    ...{ id: z.string(), slug: z.string(), name: z.string() },
    role: z
      .string()
      .nullable()
      .describe('What the caller is in it; null: a key with scopes')
      .meta({ examples: ['owner', 'viewer'] }),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Organization' });

export const OrganizationList = listOf(Organization).meta({ id: 'OrganizationList' });

/** @param role the caller's */
export function organizationOf(
  { id, slug, name, createdAt }: OrganizationRow,
  role: string | null,
): z.input<typeof Organization> {
  return { id, slug, name, role, createdAt: createdAt.toISOString() };
}
