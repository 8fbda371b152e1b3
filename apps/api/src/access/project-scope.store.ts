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
    /** `<organization>/<project>`: what the registry's paths begin with; `library` for base images */
    readonly path: string,
  ) {}

  /**
   * @param place slugs or identifiers
   * @returns null when there is no such project, or it is another organization's: the two look the same
   */
  static async of(
    { pool }: Database,
    { organizationId }: Pick<Caller, 'organizationId'>,
    place: { organization: string; project: string },
  ): Promise<ProjectScope | null> {
    const { rows } = await pool.query<{ id: string; path: string }>({
      name: 'project-of-organization',
      text: `SELECT p.id, o.slug || '/' || p.slug AS path
        FROM "Project" p JOIN "Organization" o ON o.id = p."organizationId"
        WHERE o.id = $1 AND $2 IN (o.slug, o.id) AND $3 IN (p.slug, p.id)`,
      values: [organizationId, place.organization, place.project],
    });
    const [found] = rows;
    return found === undefined ? null : new ProjectScope(organizationId, found.id, found.path);
  }

  /** What the platform itself does for a project, long after somebody asked for it. */
  static async ofProject({ pool }: Database, projectId: string): Promise<ProjectScope> {
    const { rows } = await pool.query<{ organizationId: string; path: string }>({
      name: 'project-of-the-platform',
      text: `SELECT o.id AS "organizationId", o.slug || '/' || p.slug AS path
        FROM "Project" p JOIN "Organization" o ON o.id = p."organizationId" WHERE p.id = $1`,
      values: [projectId],
    });
    if (rows[0] === undefined) throw new Error(`there is no project ${projectId}`);
    return new ProjectScope(rows[0].organizationId, projectId, rows[0].path);
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
    return new ProjectScope(rows[0].organizationId, rows[0].id, LIBRARY);
  }
}
