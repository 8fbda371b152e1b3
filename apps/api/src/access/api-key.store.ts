import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '@slipway/db';
import { DATABASE } from '../platform.module.ts';
import type { Caller } from './caller.ts';

/** SHA-256; a key has 256 random bits, so it needs no slow hash. */
export function hashOfKey(key: string): Buffer<ArrayBuffer> {
  return createHash('sha256').update(key).digest();
}

@Injectable()
export class ApiKeyStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** null when no key like that is valid now */
  async callerOf(key: string): Promise<Caller | null> {
    const { rows } = await this.database.pool.query<Caller>({
      name: 'caller-of-key',
      text: `SELECT id AS "apiKeyId", "organizationId", role, operator AS "isOperator" FROM "ApiKey"
        WHERE "keyHash" = $1 AND "revokedAt" IS NULL AND ("expiresAt" IS NULL OR "expiresAt" > now())`,
      values: [hashOfKey(key)],
    });
    return rows[0] ?? null;
  }
}
