import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '@slipway/db';
import { DATABASE } from '../platform.module.ts';
import type { Caller } from './caller.ts';
import { hashOfToken } from './credential.ts';

/** @unscoped a key is what says whose the caller is */
@Injectable()
export class ApiKeyStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** null when no key like that is valid now */
  async callerOf(key: string): Promise<Caller | null> {
    const { rows } = await this.database.pool.query<Caller>({
      name: 'caller-of-key',
      text: `${VALID_KEY} AND "keyHash" = $1`,
      values: [hashOfToken(key)],
    });
    return rows[0] ?? null;
  }

  /** For what was made with a key and must end with it. @param id `key_…` */
  async callerOfId(id: string): Promise<Caller | null> {
    const { rows } = await this.database.pool.query<Caller>({
      name: 'caller-of-key-id',
      text: `${VALID_KEY} AND id = $1`,
      values: [id],
    });
    return rows[0] ?? null;
  }
}

const VALID_KEY = `SELECT id AS "credentialId", NULL AS "userId", operator AS "isOperator",
    json_build_array(json_build_object('organizationId', "organizationId", 'role', role)) AS memberships
  FROM "ApiKey" WHERE "revokedAt" IS NULL AND ("expiresAt" IS NULL OR "expiresAt" > now())`;
