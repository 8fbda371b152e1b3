import { Inject, Injectable } from '@nestjs/common';
import { type Database, newId, type Prisma } from '@slipway/db';
import type { ProjectScope } from '../access/scope.store.ts';
import { DATABASE } from '../platform.module.ts';

export type ContextRow = Prisma.ContextGetPayload<object>;

/** A project's build contexts: which there are. The bytes are in the blob store. */
@Injectable()
export class ContextStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  create(
    { organizationId, projectId }: ProjectScope,
    blob: { digest: string; sizeBytes: number },
  ): Promise<ContextRow> {
    return this.database.prisma.context.create({
      data: { id: newId('ctx'), organizationId, projectId, ...blob },
    });
  }

  find({ projectId }: ProjectScope, id: string): Promise<ContextRow | null> {
    return this.database.prisma.context.findFirst({ where: { projectId, id } });
  }
}
