import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import { type Database, newId, type Prisma, type Queries } from '@slipway/db';
import type { Caller, Membership } from '../access/caller.ts';
import { hashOfToken, newKey, prefixOf } from '../access/credential.ts';
import { notFound } from '../access/not-found.ts';
import { permissionsOf, requirePermission } from '../access/permissions.ts';
import type { OrganizationScope } from '../access/scope.store.ts';
import { AuditStore, type Target } from '../audit/audit.store.ts';
import { invalid } from '../http/validate.ts';
import { DATABASE } from '../platform.module.ts';
import type { NewApiKey } from './api-key.schema.ts';
import { membershipInTurn } from './in-turn.ts';
import { PERSON } from './member.store.ts';

const WITH_ORIGIN = { createdBy: PERSON, project: true } as const;

export type ApiKeyRow = Prisma.ApiKeyGetPayload<{ include: typeof WITH_ORIGIN }>;

/** The keys of an organization: each is somebody's, and ends with what it was made with. */
@Injectable()
export class ApiKeyStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(AuditStore) private readonly audit: AuditStore,
  ) {}

  /**
   * @returns the key itself too, which is kept nowhere
   * @throws AppError `not-found`, `forbidden`, `invalid-request`, `unauthenticated`
   */
  create(
    scope: OrganizationScope,
    caller: Caller,
    wish: NewApiKey,
  ): Promise<{ row: ApiKeyRow; token: string }> {
    const { organizationId } = scope;
    return this.database.transaction(async (tx) => {
      requireNoMore(wish, await membershipInTurn(tx, scope, caller));
      const origin = await originIn(tx, caller);
      const token = newKey();
      const row = await tx.apiKey.create({
        data: {
          ...{ id: newId('key'), organizationId, name: wish.name },
          ...{ keyHash: hashOfToken(token), prefix: prefixOf(token) },
          ...{ role: wish.role ?? null, scopes: wish.scopes ?? [] },
          projectId: await projectIn(tx, scope, wish.project),
          ...{ createdById: origin.createdById, parentId: origin.parentId },
          expiresAt: expiryOf(wish, origin.expiresAt),
        },
        include: WITH_ORIGIN,
      });
      await this.audit.record(tx, scope, targetOf(row), {
        ...(row.role === null ? { scopes: row.scopes.join(' ') } : { role: row.role }),
        ...(row.project === null ? {} : { project: row.project.slug }),
      });
      return { row, token };
    });
  }

  /** Those that are not revoked, the oldest first, behind the identifier `after`. */
  list(
    { organizationId }: OrganizationScope,
    { limit, after }: { limit: number; after: string },
  ): Promise<ApiKeyRow[]> {
    return this.database.prisma.apiKey.findMany({
      where: { organizationId, revokedAt: null, id: { gt: after } },
      orderBy: { id: 'asc' },
      take: limit,
      include: WITH_ORIGIN,
    });
  }

  /** null: there is none like that, or it is revoked */
  get(scope: OrganizationScope, id: string): Promise<ApiKeyRow | null> {
    return find(this.database.prisma, scope, id);
  }

  /** And what was made with it. @throws AppError `not-found`, `forbidden`, `state-conflict` */
  revoke(scope: OrganizationScope, caller: Caller, id: string): Promise<void> {
    return this.database.transaction(async (tx) => {
      const membership = await membershipInTurn(tx, scope, caller);
      const row = await find(tx, scope, id);
      if (row === null) throw notFound(`API key ${id} of this organization`);
      if (row.operator) throw new AppError('state-conflict', OPERATORS);
      if (!isOwn(row, caller)) requirePermission(membership, 'members:write');
      await tx.$executeRaw`WITH RECURSIVE ended AS (
          SELECT ${id} AS id UNION
          SELECT k.id FROM "ApiKey" k JOIN ended ON k."parentId" = ended.id
        )
        UPDATE "ApiKey" SET "revokedAt" = now()
        WHERE id IN (SELECT id FROM ended) AND "revokedAt" IS NULL`;
      await this.audit.record(tx, scope, targetOf(row));
    });
  }
}

const OPERATORS = 'This is the key of who runs the platform: it changes with OPERATOR_TOKEN.';

function find(
  on: Queries,
  { organizationId }: OrganizationScope,
  id: string,
): Promise<ApiKeyRow | null> {
  return on.apiKey.findUnique({
    where: { id, organizationId, revokedAt: null },
    include: WITH_ORIGIN,
  });
}

/** @throws AppError `forbidden` */
function requireNoMore({ role, scopes = [] }: NewApiKey, maker: Membership): void {
  const wished = role === undefined ? scopes : permissionsOf(role);
  for (const permission of wished) requirePermission(maker, permission);
}

interface Origin {
  createdById: string | null;
  parentId: string | null;
  expiresAt: Date | null;
}

async function originIn(
  tx: Prisma.TransactionClient,
  { userId, credentialId }: Caller,
): Promise<Origin> {
  if (userId !== null) return { createdById: userId, parentId: null, expiresAt: null };
  const parent = await tx.apiKey.findUniqueOrThrow({ where: { id: credentialId } });
  const { id: parentId, createdById, expiresAt } = parent;
  return { createdById, parentId, expiresAt };
}

async function projectIn(
  tx: Prisma.TransactionClient,
  { organizationId }: OrganizationScope,
  project: string | undefined,
): Promise<string | null> {
  if (project === undefined) return null;
  const found = await tx.project.findFirst({
    where: { organizationId, OR: [{ slug: project }, { id: project }] },
  });
  if (found !== null) return found.id;
  throw invalid('project', `there is no project "${project}" in this organization`);
}

function expiryOf({ expiresAt }: NewApiKey, latest: Date | null): Date | null {
  if (expiresAt === undefined) return latest;
  if (latest === null || expiresAt <= latest) return expiresAt;
  throw invalid('expiresAt', `is after that of the key it is made with, ${latest.toISOString()}`);
}

function targetOf({ id, name }: ApiKeyRow): Target {
  return { type: 'key', id, name };
}

/** A key's own are itself and those that were made with it. */
function isOwn(row: ApiKeyRow, { userId, credentialId }: Caller): boolean {
  return userId === null
    ? row.id === credentialId || row.parentId === credentialId
    : row.createdById === userId;
}
