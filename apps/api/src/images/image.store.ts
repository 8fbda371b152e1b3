import { Inject, Injectable } from '@nestjs/common';
import { type Database, newId, type Prisma } from '@slipway/db';
import type { ProjectScope } from '../access/scope.store.ts';
import { AuditStore, type Details } from '../audit/audit.store.ts';
import { DATABASE } from '../platform.module.ts';
import { QuotaStore } from '../quotas/quota.store.ts';

/** The proof that its holder may use a repository: only `ImageStore` makes one, for a project's scope. */
class Repository {
  protected readonly isProven = true;

  constructor(
    readonly id: string,
    readonly name: string,
    readonly scope: ProjectScope,
  ) {}
}

export type { Repository };

export interface StoredManifest {
  digest: string;
  mediaType: string;
  content: Uint8Array;
}

/** A manifest as it comes: what it names has to be in the repository. */
export interface NewManifest {
  digest: string;
  mediaType: string;
  content: Uint8Array<ArrayBuffer>;
  /** what it names, and the table that has to have it */
  namedIn: 'RepositoryBlob' | 'Manifest';
  references: readonly string[];
}

/** Repositories, which blobs they link, manifests and tags; the bytes of blobs are in the blob store. */
@Injectable()
export class ImageStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(AuditStore) private readonly audit: AuditStore,
    @Inject(QuotaStore) private readonly quotas: QuotaStore,
  ) {}

  async repository(scope: ProjectScope, name: string): Promise<Repository | null> {
    const { rows } = await this.database.pool.query<{ id: string }>({
      name: 'repository-of-project',
      text: 'SELECT id FROM "Repository" WHERE "projectId" = $1 AND name = $2',
      values: [scope.projectId, name],
    });
    return rows[0] === undefined ? null : new Repository(rows[0].id, name, scope);
  }

  async ensureRepository(scope: ProjectScope, name: string): Promise<Repository> {
    const found = await this.repository(scope, name);
    if (found !== null) return found;
    const { organizationId, projectId } = scope;
    const id = newId('rep');
    // Layers are pushed side by side: several are the first. (Prisma's upsert fails all but one.)
    await this.database.transaction(async (tx) => {
      const { count } = await tx.repository.createMany({
        data: { id, organizationId, projectId, name },
        skipDuplicates: true,
      });
      if (count > 0) await this.audit.record(tx, scope, { type: 'repository', id, name });
    });
    const made = await this.repository(scope, name);
    if (made === null) throw new Error(`the repository ${name} was removed as it was made`);
    return made;
  }

  /** bytes; null when the repository does not link it */
  async blobSize({ id }: Repository, digest: string): Promise<number | null> {
    const { rows } = await this.database.pool.query<{ sizeBytes: string }>({
      name: 'blob-of-repository',
      text: 'SELECT "sizeBytes" FROM "RepositoryBlob" WHERE "repositoryId" = $1 AND digest = $2',
      values: [id, digest],
    });
    return rows[0] === undefined ? null : Number(rows[0].sizeBytes);
  }

  /**
   * @param upload that it came by; null: it was there
   * @throws AppError `quota-exceeded`
   */
  async linkBlob(
    repository: Repository,
    { digest, sizeBytes }: { digest: string; sizeBytes: number },
    upload: string | null,
  ): Promise<void> {
    const { id: repositoryId, scope } = repository;
    await this.database.transaction(async (tx) => {
      if (upload !== null) await tx.blobUpload.deleteMany({ where: { id: upload, repositoryId } });
      const { count } = await tx.repositoryBlob.createMany({
        data: { repositoryId, digest, sizeBytes },
        skipDuplicates: true,
      });
      if (count === 0) return;
      await this.#record(tx, repository, { type: 'blob', id: digest });
      await this.quotas.requireRoom(tx, scope, { imageBytes: sizeBytes });
    });
  }

  /** `in-use`: a manifest names it, and so it stays */
  unlinkBlob(repository: Repository, digest: string): Promise<'removed' | 'absent' | 'in-use'> {
    const { id } = repository;
    return this.database.transaction(async (tx) => {
      // The lock first: whoever puts a manifest has it too, and what they wrote is seen below.
      const locked = await lockRows(tx, 'RepositoryBlob', id, [digest], 'UPDATE');
      if (locked.length === 0) return 'absent';
      if ((await unlinkUnnamed(tx, id, locked)) === 0) return 'in-use';
      await this.#record(tx, repository, { type: 'blob', id: digest });
      return 'removed';
    });
  }

  /** @param reference a tag or a digest */
  async manifest({ id }: Repository, reference: string): Promise<StoredManifest | null> {
    const isDigest = reference.includes(':');
    const { rows } = await this.database.pool.query<StoredManifest>(
      isDigest
        ? {
            name: 'manifest-by-digest',
            text: `SELECT digest, "mediaType", content FROM "Manifest"
              WHERE "repositoryId" = $1 AND digest = $2`,
            values: [id, reference],
          }
        : {
            name: 'manifest-by-tag',
            text: `SELECT m.digest, m."mediaType", m.content FROM "Tag" t
              JOIN "Manifest" m ON m."repositoryId" = t."repositoryId" AND m.digest = t.digest
              WHERE t."repositoryId" = $1 AND t.name = $2`,
            values: [id, reference],
          },
    );
    return rows[0] ?? null;
  }

  /**
   * @returns what it names and the repository does not have: then nothing was stored
   * @throws AppError `quota-exceeded`
   */
  putManifest(
    repository: Repository,
    manifest: NewManifest,
    tag: string | null,
  ): Promise<string[]> {
    const { id: repositoryId, scope } = repository;
    const { digest, mediaType, content, namedIn, references } = manifest;
    return this.database.transaction(async (tx) => {
      const present = new Set(await lockRows(tx, namedIn, repositoryId, references, 'SHARE'));
      const absent = references.filter((reference) => !present.has(reference));
      if (absent.length > 0) return absent;
      // Updates in any case, and so locks the row: it cannot be deleted before it has its tag.
      const [stored] = await tx.$queryRaw<{ isNew: boolean }[]>`INSERT INTO "Manifest"
        ("repositoryId", digest, "mediaType", content, "references")
        VALUES (${repositoryId}, ${digest}, ${mediaType}, ${content}, ${references})
        ON CONFLICT ("repositoryId", digest) DO UPDATE SET "mediaType" = EXCLUDED."mediaType"
        RETURNING xmax = 0 AS "isNew"`;
      await this.#record(
        tx,
        repository,
        { type: 'image', id: digest },
        tag === null ? {} : { tag },
      );
      if (tag !== null) {
        await tx.$executeRaw`INSERT INTO "Tag" ("repositoryId", name, digest, "updatedAt")
          VALUES (${repositoryId}, ${tag}, ${digest}, now())
          ON CONFLICT ("repositoryId", name) DO UPDATE SET digest = EXCLUDED.digest, "updatedAt" = now()`;
      }
      if (stored?.isNew) {
        await this.quotas.requireRoom(tx, scope, { imageBytes: content.byteLength });
      }
      return [];
    });
  }

  /**
   * With its tags, and the blobs that no other manifest of the repository names.
   * `in-use`: an index names it, and so it stays
   */
  deleteManifest(repository: Repository, digest: string): Promise<'removed' | 'absent' | 'in-use'> {
    const { id } = repository;
    const where = { repositoryId_digest: { repositoryId: id, digest } };
    return this.database.transaction(async (tx) => {
      const named = await tx.manifest.findUnique({ where, select: { references: true } });
      // before the manifest, as whoever puts one does
      const blobs = await lockRows(tx, 'RepositoryBlob', id, named?.references ?? [], 'UPDATE');
      const locked = await lockRows(tx, 'Manifest', id, [digest], 'UPDATE');
      if (locked.length === 0) return 'absent';
      if (await isReferenced(tx, id, digest)) return 'in-use';
      await tx.manifest.delete({ where });
      await unlinkUnnamed(tx, id, blobs);
      await this.#record(tx, repository, { type: 'image', id: digest });
      return 'removed';
    });
  }

  /** @returns whether there was one */
  deleteTag(repository: Repository, name: string): Promise<boolean> {
    return this.database.transaction(async (tx) => {
      const { count } = await tx.tag.deleteMany({ where: { repositoryId: repository.id, name } });
      if (count > 0) await this.#record(tx, repository, { type: 'tag', id: null }, { tag: name });
      return count > 0;
    });
  }

  /** In the order of their bytes, those behind `last`. */
  async tags(
    { id }: Repository,
    { limit, last }: { limit: number; last: string },
  ): Promise<string[]> {
    const { rows } = await this.database.pool.query<{ name: string }>(
      `SELECT name FROM "Tag" WHERE "repositoryId" = $1 AND name COLLATE "C" > $2
        ORDER BY name COLLATE "C" LIMIT $3`,
      [id, last, limit],
    );
    return rows.map(({ name }) => name);
  }

  /**
   * Those of pushes that were never over: no manifest names them.
   * @unscoped the platform looks after all repositories
   */
  async unlinkAbandoned(since: Date): Promise<number> {
    const { pool } = this.database;
    const { rows } = await pool.query<{ repositoryId: string; digests: string[] }>(
      `SELECT "repositoryId", array_agg(digest) AS digests FROM "RepositoryBlob" b
        WHERE "createdAt" < $1 AND ${IS_UNNAMED} GROUP BY "repositoryId"`,
      [since],
    );
    let count = 0;
    for (const { repositoryId, digests } of rows) {
      count += await this.database.transaction(async (tx) => {
        const locked = await lockRows(tx, 'RepositoryBlob', repositoryId, digests, 'UPDATE');
        return unlinkUnnamed(tx, repositoryId, locked);
      });
    }
    return count;
  }

  #record(
    tx: Prisma.TransactionClient,
    { name, scope }: Repository,
    what: { type: string; id: string | null },
    details: Details = {},
  ): Promise<void> {
    return this.audit.record(tx, scope, { ...what, name }, details);
  }
}

type Lock = 'SHARE' | 'UPDATE';

/** In one order, so that two do not wait for each other. @returns the digests that are there */
async function lockRows(
  tx: Prisma.TransactionClient,
  table: NewManifest['namedIn'],
  repositoryId: string,
  digests: readonly string[],
  lock: Lock,
): Promise<string[]> {
  const rows = await tx.$queryRawUnsafe<{ digest: string }[]>(
    `SELECT digest FROM "${table}" WHERE "repositoryId" = $1 AND digest = ANY($2)
      ORDER BY digest FOR ${lock}`,
    repositoryId,
    digests,
  );
  return rows.map(({ digest }) => digest);
}

async function isReferenced(
  tx: Prisma.TransactionClient,
  repositoryId: string,
  digest: string,
): Promise<boolean> {
  const found = await tx.manifest.findFirst({
    where: { repositoryId, references: { has: digest } },
    select: { digest: true },
  });
  return found !== null;
}

/** Of a blob `b`: no manifest of its repository names it. */
const IS_UNNAMED = `NOT EXISTS (SELECT 1 FROM "Manifest" m
  WHERE m."repositoryId" = b."repositoryId" AND m."references" @> ARRAY[b.digest])`;

/**
 * @param locked blobs, before: what whoever put a manifest meanwhile has written is seen
 * @returns how many no manifest names
 */
function unlinkUnnamed(
  tx: Prisma.TransactionClient,
  repositoryId: string,
  locked: readonly string[],
): Promise<number> {
  return tx.$executeRawUnsafe(
    `DELETE FROM "RepositoryBlob" b
      WHERE "repositoryId" = $1 AND digest = ANY($2) AND ${IS_UNNAMED}`,
    repositoryId,
    locked,
  );
}
