import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import type { Database, Prisma } from '@slipway/db';
import { DATABASE } from '../platform.module.ts';
import type { Caller } from './caller.ts';
import { hashOfToken } from './credential.ts';
import { lesserOf, type Permission, permissionsOf, type Role } from './permissions.ts';
import { Recent } from './recent.ts';

/** @unscoped a key is what says whose the caller is */
@Injectable()
export class KeyStore {
  readonly #recent = new Recent<Caller>();

  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** null when no key like that is valid, or was half a second ago */
  callerOf(key: string): Promise<Caller | null> {
    const hash = hashOfToken(key);
    return this.#recent.get(hash.toString('base64'), async () => {
      const { rows } = await this.database.pool.query<KeyRow>({
        name: 'caller-of-key',
        text: `${VALID_KEY} AND k."keyHash" = $1`,
        values: [hash],
      });
      return this.#used(rows[0]);
    });
  }

  /** For what was made with a key and must end with it. @param id `key_…` */
  callerOfId(id: string): Promise<Caller | null> {
    return this.#recent.get(id, async () => this.#used((await this.#rowsOf([id]))[0]));
  }

  /** Of those that are valid right now. @param ids of other things too */
  async callersOfIds(ids: readonly string[]): Promise<Caller[]> {
    return (await this.#rowsOf(ids)).map(callerOf);
  }

  async #rowsOf(ids: readonly string[]): Promise<KeyRow[]> {
    const { rows } = await this.database.pool.query<KeyRow>({
      name: 'callers-of-key-ids',
      text: `${VALID_KEY} AND k.id = ANY($1)`,
      values: [ids],
    });
    return rows;
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

export function keyHasEnded(): AppError {
  return new AppError('unauthenticated', 'This API key is unknown, revoked or expired.');
}

/** What a key is right now. @unscoped as above. @throws AppError `unauthenticated` */
export async function callerOfKeyIn(tx: Prisma.TransactionClient, id: string): Promise<Caller> {
  const [row] = await tx.$queryRawUnsafe<KeyRow[]>(`${VALID_KEY} AND k.id = $1`, id);
  if (row === undefined) throw keyHasEnded();
  return callerOf(row);
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
