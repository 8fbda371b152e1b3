import { Inject, Injectable } from '@nestjs/common';
import { type Caller, membershipIn } from '../access/caller.ts';
import type { Me } from './me.schema.ts';
import { MeStore } from './me.store.ts';

/** What a caller is told of themselves. */
@Injectable()
export class MeService {
  constructor(@Inject(MeStore) private readonly store: MeStore) {}

  async of(caller: Caller): Promise<Me> {
    const user = await this.store.userOf(caller);
    const organizations = await this.store.organizationsOf(caller);
    return {
      user: user && { id: user.id, email: user.email, name: user.name },
      isOperator: caller.isOperator,
      organizations: organizations.map(({ id, slug, name }) => {
        const { role, permissions } = membershipIn(caller, { organizationId: id });
        return { id, slug, name, role, permissions: [...permissions] };
      }),
      projects: organizations.flatMap(({ slug: organization, projects }) =>
        projects.map(({ id, slug, name }) => ({ id, organization, slug, name })),
      ),
    };
  }
}
