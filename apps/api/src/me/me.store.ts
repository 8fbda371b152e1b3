import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '@slipway/db';
import type { Caller } from '../access/caller.ts';
import { DATABASE } from '../platform.module.ts';

@Injectable()
export class MeStore {
  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /** null: the caller is a key */
  async userOf({ userId }: Caller) {
    return userId === null
      ? null
      : this.database.prisma.user.findUniqueOrThrow({ where: { id: userId } });
  }

  /** The caller's organizations with the projects that are open to them, the oldest first. */
  organizationsOf({ memberships }: Caller) {
    const open = memberships.map(({ organizationId, projectId }) => ({
      organizationId,
      ...(projectId === null ? {} : { id: projectId }),
    }));
    return this.database.prisma.organization.findMany({
      where: { id: { in: memberships.map(({ organizationId }) => organizationId) } },
      orderBy: { id: 'asc' },
      include: { projects: { where: { OR: open }, orderBy: { id: 'asc' } } },
    });
  }
}
