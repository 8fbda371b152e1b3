import { AppError } from '@slipway/contracts';
import type { Membership } from './caller.ts';

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
  'api-keys:read',
  'api-keys:write',
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

/** Each may do all that those behind it may. */
export const ROLES = ['owner', 'admin', 'developer', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

const OF_OWNERS: readonly Permission[] = ['owners:write'];
const OF_ADMINS: readonly Permission[] = ['organization:write', 'members:write', 'projects:write'];

const OF_ROLE: Readonly<Record<Role, readonly Permission[]>> = {
  owner: PERMISSIONS,
  admin: without(OF_OWNERS),
  developer: without([...OF_OWNERS, ...OF_ADMINS]),
  viewer: PERMISSIONS.filter(
    (permission) => permission.endsWith(':read') || permission === 'api-keys:write',
  ),
};

function without(those: readonly Permission[]): readonly Permission[] {
  return PERMISSIONS.filter((permission) => !those.includes(permission));
}

export function permissionsOf(role: Role): readonly Permission[] {
  return OF_ROLE[role];
}

/** Which of the two may less. */
export function lesserOf(one: Role, other: Role): Role {
  return ROLES.indexOf(one) > ROLES.indexOf(other) ? one : other;
}

/** @throws AppError `forbidden` */
export function requirePermission({ role, permissions }: Membership, permission: Permission): void {
  if (permissions.includes(permission)) return;
  const who = role === null ? 'this API key' : `the role ${role}`;
  throw new AppError(
    'forbidden',
    `This needs the permission ${permission}, which ${who} does not have.`,
  );
}
