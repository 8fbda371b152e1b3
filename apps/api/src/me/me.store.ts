import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '@slipway/db';
import { DATABASE } from '../platform.module.ts';

@Injectable()
export class MeStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** An organization with its projects, oldest first. */
  organizationOf(organizationId: string) {
    return this.database.prisma.organization.findUniqueOrThrow({
      where: { id: organizationId },
      include: { projects: { orderBy: { id: 'asc' } } },
    });
  }
}
