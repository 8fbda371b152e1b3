import { AppError } from '@slipway/contracts';
import type { Caller } from './caller.ts';

/**
 * What a route may ask of a caller (docs/roles.md). `read`: see; `write`: make, change, remove; `control`:
 * start, stop, restart, kill.
 */
export const PERMISSIONS = [
  'organization:read',
  'organization:write',
  'members:read',
  'members:write',
  'owners:write',
  'projects:read',
  'projects:write',
  'containers:read',
  'containers:write',
  'containers:control',
  'services:read',
  'services:write',
  'builds:read',
  'builds:write',
  'images:read',
  'images:write',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

export const ROLES = ['owner', 'admin', 'developer', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

const OF_OWNERS: readonly Permission[] = ['owners:write'];
const OF_ADMINS: readonly Permission[] = ['organization:write', 'members:write', 'projects:write'];

const OF_ROLE: Readonly<Record<Role, readonly Permission[]>> = {
  owner: PERMISSIONS,
  admin: without(OF_OWNERS),
  developer: without([...OF_OWNERS, ...OF_ADMINS]),
  viewer: PERMISSIONS.filter((permission) => permission.endsWith(':read')),
};

function without(those: readonly Permission[]): readonly Permission[] {
  return PERMISSIONS.filter((permission) => !those.includes(permission));
}

/** @param role what they are in the organization; null: nothing */
export function may(role: Role | null, permission: Permission): boolean {
  return role !== null && OF_ROLE[role].includes(permission);
}

/** @returns null: the caller is not of this organization */
export function roleIn({ memberships }: Caller, organizationId: string): Role | null {
  return memberships.find((one) => one.organizationId === organizationId)?.role ?? null;
}

/** @throws AppError `forbidden` */
export function requirePermission(role: Role | null, permission: Permission): void {
  if (may(role, permission)) return;
  throw new AppError(
    'forbidden',
    `This needs the permission ${permission}, which the role ${role} does not have.`,
  );
}
