import { type Database, newId } from '@slipway/db';
import type { Secret } from '@slipway/log';
import { hashOfKey } from '../access/api-key.store.ts';

const ORGANIZATION = { slug: 'local', name: 'Local' };
const PROJECT = { slug: 'default', name: 'Default' };
const KEY_NAME = 'operator';
const SHOWN_CHARACTERS = 8;

/**
 * The first organization and project, and the key of who runs the platform. Done at each boot, and
 * changes nothing once it is done; another token takes the earlier one's place.
 */
export async function seedOperator({ transaction }: Database, token: Secret): Promise<void> {
  await transaction(async (tx) => {
    const { id: organizationId } = await tx.organization.upsert({
      where: { slug: ORGANIZATION.slug },
      create: { id: newId('org'), ...ORGANIZATION },
      update: {},
    });
    await tx.project.upsert({
      where: { organizationId_slug: { organizationId, slug: PROJECT.slug } },
      create: { id: newId('prj'), organizationId, ...PROJECT },
      update: {},
    });
    const keyHash = hashOfKey(token.reveal());
    await tx.apiKey.updateMany({
      where: { organizationId, name: KEY_NAME, operator: true, revokedAt: null, NOT: { keyHash } },
      data: { revokedAt: new Date() },
    });
    await tx.apiKey.upsert({
      where: { keyHash },
      create: {
        id: newId('key'),
        organizationId,
        name: KEY_NAME,
        prefix: token.reveal().slice(0, SHOWN_CHARACTERS),
        keyHash,
        role: 'owner',
        operator: true,
      },
      update: { revokedAt: null },
    });
  });
}
