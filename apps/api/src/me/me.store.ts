import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '@slipway/db';
import type { Caller } from '../access/caller.ts';
import { DATABASE } from '../platform.module.ts';

@Injectable()
export class MeStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** The caller's organization with its projects, oldest first. */
  organizationOf({ organizationId }: Caller) {
    return this.database.prisma.organization.findUniqueOrThrow({
      where: { id: organizationId },
      include: { projects: { orderBy: { id: 'asc' } } },
    });
  }
}
