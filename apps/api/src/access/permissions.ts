import { AppError } from '@slipway/contracts';
import type { Membership } from './caller.ts';

/**
 * What a route may ask of a caller (docs/roles.md). `read`: see; `write`: make, change, remove; `control`:
 * start, stop, restart, kill. `environment:read`: see the values of environment variables, where one sees the rest.
 */
export const PERMISSIONS = [
  'organization:read',
  'organization:write',
  'members:read',
  'members:write',
  'owners:write',
  'audit:read',
  'quotas:read',
  'quotas:write',
  'usage:read',
  'api-keys:read',
  'api-keys:write',
  'projects:read',
  'projects:write',
  'containers:read',
  'containers:write',
  'containers:control',
  'services:read',
  'services:write',
  'services:control',
  'environment:read',
  'builds:read',
  'builds:write',
  'images:read',
  'images:write',
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** Each may do all that those behind it may. */
export const ROLES = ['owner', 'admin', 'developer', 'responder', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

const OF_OWNERS: readonly Permission[] = ['owners:write'];
const OF_ADMINS: readonly Permission[] = [
  'organization:write',
  'members:write',
  'audit:read',
  'quotas:write',
  'projects:write',
];
const NOT_OF_VIEWERS: readonly Permission[] = ['audit:read', 'environment:read'];
const OF_VIEWERS = PERMISSIONS.filter(
  (permission) =>
    (permission.endsWith(':read') && !NOT_OF_VIEWERS.includes(permission)) ||
    permission === 'api-keys:write',
);

const OF_ROLE: Readonly<Record<Role, readonly Permission[]>> = {
  owner: PERMISSIONS,
  admin: without(OF_OWNERS),
  developer: without([...OF_OWNERS, ...OF_ADMINS]),
  responder: [...OF_VIEWERS, 'containers:control', 'services:control'],
  viewer: OF_VIEWERS,
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

export function may({ permissions }: Membership, permission: Permission): boolean {
  return permissions.includes(permission);
}

/** @throws AppError `forbidden` */
export function requirePermission(membership: Membership, permission: Permission): void {
  if (may(membership, permission)) return;
  const { role } = membership;
  const who = role === null ? 'this API key' : `the role ${role}`;
  throw new AppError(
    'forbidden',
    `This needs the permission ${permission}, which ${who} does not have.`,
  );
}
