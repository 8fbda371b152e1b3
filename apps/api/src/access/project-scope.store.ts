import type { Database } from '@slipway/db';
import type { Caller } from './caller.ts';

/** The organization and the project of the base images, which everybody may pull. */
export const LIBRARY = 'library';

/**
 * The proof that its holder may act in a project. The stores of what belongs to a project take
 * nothing else, so a query without its tenant does not compile.
 */
export class ProjectScope {
  private constructor(
    readonly organizationId: string,
    readonly projectId: string,
  ) {}

  /** null when there is no such project, or it is another organization's: the two look the same */
  static async of(
    { pool }: Database,
    { organizationId }: Pick<Caller, 'organizationId'>,
    slugs: { organization: string; project: string },
  ): Promise<ProjectScope | null> {
    const { rows } = await pool.query<{ id: string }>({
      name: 'project-of-organization',
      text: `SELECT p.id FROM "Project" p JOIN "Organization" o ON o.id = p."organizationId"
        WHERE o.id = $1 AND o.slug = $2 AND p.slug = $3`,
      values: [organizationId, slugs.organization, slugs.project],
    });
    return rows[0] === undefined ? null : new ProjectScope(organizationId, rows[0].id);
  }

  /** Where the base images are. */
  static async library({ pool }: Database): Promise<ProjectScope> {
    const { rows } = await pool.query<{ id: string; organizationId: string }>({
      name: 'project-of-base-images',
      text: `SELECT p.id, o.id AS "organizationId" FROM "Project" p
        JOIN "Organization" o ON o.id = p."organizationId" WHERE o.slug = $1 AND p.slug = $1`,
      values: [LIBRARY],
    });
    if (rows[0] === undefined) throw new Error('the seed made no project for base images');
    return new ProjectScope(rows[0].organizationId, rows[0].id);
  }
}
