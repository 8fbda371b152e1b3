import { expect, test } from 'vitest';
import type { Repository } from '../images/image.store.ts';
import type { OrganizationScope, ProjectScope } from './scope.store.ts';

test('what only looks like a scope is none (tsc, in `npm run check`, holds it)', () => {
  const ids = { organizationId: 'org_of_another', projectId: 'prj_of_another' };
  // @ts-expect-error only `ScopeStore` makes one
  const organization: OrganizationScope = { ...ids, slug: 'acme' };
  // @ts-expect-error only `ScopeStore` makes one
  const project: ProjectScope = { ...ids, path: 'acme/web' };
  // @ts-expect-error only `ImageStore` makes one
  const repository: Repository = { id: 'rep_of_another', name: 'app' };
  // @ts-expect-error of a project, and not of all that its organization has
  const more: OrganizationScope = {} as ProjectScope;
  expect([organization, project, repository, more]).not.toContain(undefined);
});
