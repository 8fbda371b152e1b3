import { type Database, newId, type Prisma } from '@slipway/db';
import type { Secret } from '@slipway/log';
import { hashOfToken, prefixOf } from '../access/credential.ts';
import { LIBRARY } from '../access/scope.store.ts';

const ORGANIZATION = { slug: 'local', name: 'Local' };
const BASE_IMAGES = { slug: LIBRARY, name: 'Base images' };
const PROJECT = { slug: 'default', name: 'Default' };
const SEED_LOCK = 72_707_370;

/**
 * Where base images go, the first organization and project, and the key of who runs the platform.
 * Done at each boot, and changes nothing once it is done; another token takes the earlier one's place.
 *
 * @unscoped it makes the first tenants
 */
export async function seed({ transaction }: Database, token: Secret): Promise<void> {
  await transaction(async (tx) => {
    // several replicas may boot at once
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(${SEED_LOCK})`;
    await ensureProject(tx, BASE_IMAGES, BASE_IMAGES);
    const organizationId = await ensureProject(tx, ORGANIZATION, PROJECT);
    const secret = token.reveal();
    const shown = { prefix: prefixOf(secret), keyHash: hashOfToken(secret) };
    const { count } = await tx.apiKey.updateMany({
      where: { operator: true, revokedAt: null },
      data: shown,
    });
    if (count > 0) return;
    await tx.apiKey.create({
      data: {
        ...{ id: newId('key'), organizationId, name: 'operator', ...shown },
        ...{ role: 'owner', operator: true },
      },
    });
  });
}

interface Named {
  slug: string;
  name: string;
}

/** @returns the organization's id */
async function ensureProject(
  tx: Prisma.TransactionClient,
  organization: Named,
  project: Named,
): Promise<string> {
  const { id: organizationId } = await tx.organization.upsert({
    where: { slug: organization.slug },
    create: { id: newId('org'), ...organization },
    update: {},
  });
  await tx.project.upsert({
    where: { organizationId_slug: { organizationId, slug: project.slug } },
    create: { id: newId('prj'), organizationId, ...project },
    update: {},
  });
  return organizationId;
}
