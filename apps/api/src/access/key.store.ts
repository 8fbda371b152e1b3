import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '@slipway/db';
import { DATABASE } from '../platform.module.ts';
import type { Caller } from './caller.ts';
import { hashOfToken } from './credential.ts';
import { lesserOf, type Permission, permissionsOf, type Role } from './permissions.ts';

/** @unscoped a key is what says whose the caller is */
@Injectable()
export class KeyStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** null when no key like that is valid now */
  async callerOf(key: string): Promise<Caller | null> {
    const { rows } = await this.database.pool.query<KeyRow>({
      name: 'caller-of-key',
      text: `${VALID_KEY} AND k."keyHash" = $1`,
      values: [hashOfToken(key)],
    });
    return this.#used(rows[0]);
  }

  /** For what was made with a key and must end with it. @param id `key_…` */
  async callerOfId(id: string): Promise<Caller | null> {
    const { rows } = await this.database.pool.query<KeyRow>({
      name: 'caller-of-key-id',
      text: `${VALID_KEY} AND k.id = $1`,
      values: [id],
    });
    return this.#used(rows[0]);
  }

  async #used(row: KeyRow | undefined): Promise<Caller | null> {
    if (row === undefined) return null;
    if (row.isUseUnknown) {
      await this.database.pool.query(
        `UPDATE "ApiKey" SET "lastUsedAt" = now() WHERE id = $1 AND ${USE_IS_UNKNOWN}`,
        [row.id],
      );
    }
    return callerOf(row);
  }
}

interface KeyRow {
  id: string;
  organizationId: string;
  projectId: string | null;
  role: Role | null;
  scopes: Permission[];
  operator: boolean;
  /** what who made it is by now; null: nobody did */
  makersRole: Role | null;
  isUseUnknown: boolean;
}

const USE_IS_UNKNOWN = `("lastUsedAt" IS NULL OR "lastUsedAt" < now() - interval '1 minute')`;

const VALID_KEY = `SELECT k.id, k."organizationId", k."projectId", k.role, k.scopes, k.operator,
    m.role AS "makersRole", ${USE_IS_UNKNOWN} AS "isUseUnknown"
  FROM "ApiKey" k
  LEFT JOIN "Membership" m ON m."userId" = k."createdById" AND m."organizationId" = k."organizationId"
  WHERE k."revokedAt" IS NULL AND (k."expiresAt" IS NULL OR k."expiresAt" > now())
    AND (k."createdById" IS NULL OR m.role IS NOT NULL)`;

/** Never more than who made it may do by now. */
function callerOf({ id, operator, scopes, makersRole, ...key }: KeyRow): Caller {
  const { organizationId, projectId } = key;
  const role = key.role && makersRole ? lesserOf(key.role, makersRole) : key.role;
  const may = makersRole && permissionsOf(makersRole);
  const permissions = role
    ? permissionsOf(role)
    : scopes.filter((scope) => may === null || may.includes(scope));
  return {
    ...{ credentialId: id, userId: null, isOperator: operator },
    memberships: [{ organizationId, projectId, role, permissions }],
  };
}
