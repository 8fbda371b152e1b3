import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '@slipway/db';
import { DATABASE } from '../platform.module.ts';
import { quotaExceeded } from '../quotas/excess.ts';
import { QuotaStore } from '../quotas/quota.store.ts';
import type { Repository } from './image.store.ts';

/** How much there is of blobs on their way into repositories; only where images are limited. */
@Injectable()
export class UploadStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(QuotaStore) private readonly quotas: QuotaStore,
  ) {}

  /**
   * Of the upload there is so much, or is about to be.
   * @throws AppError `quota-exceeded`: from then on it does not count, and has to be cancelled
   */
  async set({ id: repositoryId, scope }: Repository, id: string, sizeBytes: number): Promise<void> {
    if (!(await this.quotas.isLimited(scope, 'imageBytes'))) return;
    const excess = await this.database.transaction(async (tx) => {
      await tx.blobUpload.upsert({
        where: { id },
        create: { id, repositoryId, sizeBytes },
        update: { sizeBytes },
      });
      const found = await this.quotas.excessWith(tx, scope, { imageBytes: sizeBytes });
      // before the next one counts, so that of two that have no room together one has it
      if (found !== null) await tx.blobUpload.delete({ where: { id } });
      return found;
    });
    if (excess !== null) throw quotaExceeded(excess);
  }

  /** It has only so much after all. */
  async shrink({ id: repositoryId }: Repository, id: string, sizeBytes: number): Promise<void> {
    const { prisma } = this.database;
    await prisma.blobUpload.updateMany({ where: { id, repositoryId }, data: { sizeBytes } });
  }

  /** It is over. */
  async forget({ id: repositoryId }: Repository, id: string): Promise<void> {
    await this.database.prisma.blobUpload.deleteMany({ where: { id, repositoryId } });
  }

  /** @unscoped the platform looks after all of them. @returns uploads of which nobody said anything since then */
  async idle(since: Date): Promise<string[]> {
    const { prisma } = this.database;
    const rows = await prisma.blobUpload.findMany({ where: { updatedAt: { lt: since } } });
    return rows.map(({ id }) => id);
  }

  /** @unscoped the platform looks after all of them */
  async forgetAll(ids: readonly string[]): Promise<void> {
    await this.database.prisma.blobUpload.deleteMany({ where: { id: { in: [...ids] } } });
  }
}
