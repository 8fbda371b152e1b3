import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '@slipway/db';
import { DATABASE } from '../platform.module.ts';
import type { Call } from './call.ts';
import type { Caller } from './caller.ts';
import { Recent } from './recent.ts';

/** The organization and the project of the base images, which everybody may pull. */
export const LIBRARY = 'library';

/**
 * The proof that its holder may act in an organization. Stores of what belongs to it take nothing else,
 * and only `ScopeStore` makes one: a query without its tenant does not compile.
 */
class OrganizationScope {
  /** what no other object has: without it anything of this shape would do */
  protected readonly isProven = true;
  readonly projectId = null;

  constructor(
    readonly organizationId: string,
    readonly slug: string,
    /** that it is for, who acts; null: the platform does */
    readonly call: Call | null = null,
  ) {}

  for(call: Call): OrganizationScope {
    return new OrganizationScope(this.organizationId, this.slug, call);
  }
}

/** The proof that its holder may act in a project. */
class ProjectScope {
  protected readonly isProven = true;

  constructor(
    readonly organizationId: string,
    readonly projectId: string,
    /** `<organization>/<project>`: what the registry's paths begin with; `library` for base images */
    readonly path: string,
    /** that it is for, who acts; null: the platform does */
    readonly call: Call | null = null,
  ) {}

  for(call: Call): ProjectScope {
    return new ProjectScope(this.organizationId, this.projectId, this.path, call);
  }
}

export type { OrganizationScope, ProjectScope };

/** @unscoped it is what makes scopes */
@Injectable()
export class ScopeStore {
  readonly #organizations = new Recent<OrganizationScope>();
  readonly #projects = new Recent<ProjectScope>();

  constructor(@Inject(DATABASE) private readonly database: Database) {}

  /**
   * @param reference slug or identifier
   * @param options.isOperators to whom each is open then
   * @returns null when there is no such one, or the caller may not use it
   */
  async organization(
    caller: Caller,
    reference: string,
    { isOperators = false } = {},
  ): Promise<OrganizationScope | null> {
    const scope = await this.#organizations.get(reference, async () => {
      const { rows } = await this.database.pool.query<{ id: string; slug: string }>({
        name: 'organization-of-reference',
        text: 'SELECT id, slug FROM "Organization" WHERE $1 IN (slug, id)',
        values: [reference],
      });
      return rows[0] === undefined ? null : new OrganizationScope(rows[0].id, rows[0].slug);
    });
    if (isOperators && caller.isOperator) return scope;
    return scope !== null && isOpen(caller, scope.organizationId, null) ? scope : null;
  }

  /** @param place slugs or identifiers. @returns null when there is no such one, or the caller may not use it */
  async project(
    caller: Caller,
    { organization, project }: { organization: string; project: string },
  ): Promise<ProjectScope | null> {
    const scope = await this.#projects.get(`${organization}/${project}`, async () => {
      const { rows } = await this.database.pool.query<
        Record<'organizationId' | 'id' | 'path', string>
      >({
        name: 'project-of-reference',
        text: `SELECT o.id AS "organizationId", p.id, o.slug || '/' || p.slug AS path
          FROM "Project" p JOIN "Organization" o ON o.id = p."organizationId"
          WHERE $1 IN (o.slug, o.id) AND $2 IN (p.slug, p.id)`,
        values: [organization, project],
      });
      const [found] = rows;
      return found === undefined
        ? null
        : new ProjectScope(found.organizationId, found.id, found.path);
    });
    return scope !== null && isOpen(caller, scope.organizationId, scope.projectId) ? scope : null;
  }

  /** For what the platform itself does in a project, long after somebody asked for it. */
  async ofProject(projectId: string): Promise<ProjectScope> {
    const { rows } = await this.database.pool.query<{ organizationId: string; path: string }>({
      name: 'project-of-the-platform',
      text: `SELECT o.id AS "organizationId", o.slug || '/' || p.slug AS path
        FROM "Project" p JOIN "Organization" o ON o.id = p."organizationId" WHERE p.id = $1`,
      values: [projectId],
    });
    if (rows[0] === undefined) throw new Error(`there is no project ${projectId}`);
    return new ProjectScope(rows[0].organizationId, projectId, rows[0].path);
  }

  /** Where the base images are. */
  async library(): Promise<ProjectScope> {
    const { rows } = await this.database.pool.query<{ id: string; organizationId: string }>({
      name: 'project-of-base-images',
      text: `SELECT p.id, o.id AS "organizationId" FROM "Project" p
        JOIN "Organization" o ON o.id = p."organizationId" WHERE o.slug = $1 AND p.slug = $1`,
      values: [LIBRARY],
    });
    if (rows[0] === undefined) throw new Error('the seed made no project for base images');
    return new ProjectScope(rows[0].organizationId, rows[0].id, LIBRARY);
  }
}

/** @param project null: the organization itself, which is not open to a key of one project */
function isOpen({ memberships }: Caller, organizationId: string, project: string | null): boolean {
  return memberships.some(
    (one) =>
      one.organizationId === organizationId &&
      (one.projectId === null || one.projectId === project),
  );
}
