import { Inject, Injectable } from '@nestjs/common';
import { type Database, newId, type Prisma } from '@slipway/db';
import type { FastifyRequest } from 'fastify';
import { DATABASE } from '../platform.module.ts';
import { type Caller, membershipOf } from './caller.ts';
import { hashOfToken, newToken } from './credential.ts';
import type { Role } from './permissions.ts';

export const SESSION_DAYS = 30;
const DAY_MS = 86_400_000;
const USER_AGENT_LENGTH = 300;

/** What a browser says of itself: for who looks at their sessions. */
export interface Client {
  userAgent: string;
  ip: string;
}

export function clientOf({ headers, ip }: FastifyRequest): Client {
  return { userAgent: (headers['user-agent'] ?? '').slice(0, USER_AGENT_LENGTH), ip };
}

/** @unscoped a session is what says who the caller is */
@Injectable()
export class SessionStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** null when no session like that is valid now */
  async callerOf(token: string): Promise<Caller | null> {
    const { rows } = await this.database.pool.query<SessionRow>({
      name: 'caller-of-session',
      text: `${VALID_SESSION} AND s."tokenHash" = $1`,
      values: [hashOfToken(token)],
    });
    return rows[0] === undefined ? null : callerOf(rows[0]);
  }

  /** Of those that are valid now. @param ids of other things too */
  async callersOfIds(ids: readonly string[]): Promise<Caller[]> {
    const { rows } = await this.database.pool.query<SessionRow>({
      name: 'callers-of-session-ids',
      text: `${VALID_SESSION} AND s.id = ANY($1)`,
      values: [ids],
    });
    return rows.map(callerOf);
  }

  /** Those of theirs that are over go. @returns its token too, which is kept nowhere */
  async begin(
    tx: Prisma.TransactionClient,
    userId: string,
    { userAgent, ip }: Client,
  ): Promise<{ id: string; token: string }> {
    await tx.session.deleteMany({ where: { userId, expiresAt: { lt: new Date() } } });
    const [id, token] = [newId('ses'), newToken()];
    const expiresAt = new Date(Date.now() + SESSION_DAYS * DAY_MS);
    await tx.session.create({
      data: {
        ...{ id, userId, tokenHash: hashOfToken(token), expiresAt },
        ...{ userAgent, ip },
      },
    });
    return { id, token };
  }

  /** Somebody's that are valid now, the latest first. */
  of(userId: string): Promise<Prisma.SessionGetPayload<object>[]> {
    return this.database.prisma.session.findMany({
      where: { userId, expiresAt: { gt: new Date() } },
      orderBy: { id: 'desc' },
    });
  }
}

interface SessionRow {
  id: string;
  userId: string;
  memberships: { organizationId: string; role: Role }[];
}

const VALID_SESSION = `SELECT s.id, s."userId", COALESCE((
    SELECT json_agg(json_build_object('organizationId', "organizationId", 'role', role)
      ORDER BY "createdAt")
    FROM "Membership" WHERE "userId" = s."userId"
  ), '[]') AS memberships
  FROM "Session" s WHERE s."expiresAt" > now()`;

function callerOf({ id, userId, memberships }: SessionRow): Caller {
  return {
    ...{ credentialId: id, userId, isOperator: false },
    memberships: memberships.map(({ organizationId, role }) => membershipOf(organizationId, role)),
  };
}
