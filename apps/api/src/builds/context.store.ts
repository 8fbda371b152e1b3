import { Inject, Injectable } from '@nestjs/common';
import { type Database, newId, type Prisma } from '@slipway/db';
import type { ProjectScope } from '../access/scope.store.ts';
import { AuditStore } from '../audit/audit.store.ts';
import { DATABASE } from '../platform.module.ts';

export type ContextRow = Prisma.ContextGetPayload<object>;

/** A project's build contexts: which there are. The bytes are in the blob store. */
@Injectable()
export class ContextStore {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(AuditStore) private readonly audit: AuditStore,
  ) {}

  create(scope: ProjectScope, blob: { digest: string; sizeBytes: number }): Promise<ContextRow> {
    const { organizationId, projectId } = scope;
    return this.database.transaction(async (tx) => {
      const row = await tx.context.create({
        data: { id: newId('ctx'), organizationId, projectId, ...blob },
      });
      const { id, digest } = row;
      await this.audit.record(tx, scope, { type: 'context', id, name: null }, { digest });
      return row;
    });
  }

  find({ projectId }: ProjectScope, id: string): Promise<ContextRow | null> {
    return this.database.prisma.context.findFirst({ where: { projectId, id } });
  }
}
