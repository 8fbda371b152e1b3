import { declaredRoutes, permissionOf, type RouteContract } from '../http/route.ts';
import { buildOpenApiDocument } from '../openapi/document.ts';

/** An operation of the OpenAPI document: what is added later is walked too. */
export interface Operation {
  /** as a test is called */
  name: string;
  method: string;
  path: string;
}

const document = buildOpenApiDocument();
const all = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
  Object.entries(item ?? {}).map(([method, { security }]) => ({
    ...named({ method, path }),
    isPublic: security?.length === 0,
  })),
);
const declared = declaredRoutes().map(({ method, path, access }) => ({
  ...named({ method, path: path.replace(/:(\w+)/g, '{$1}') }),
  access,
}));

export const OPEN = all.filter(({ isPublic }) => isPublic);
export const CLOSED = all.filter(({ isPublic }) => !isPublic);
export const OF_ORGANIZATIONS = CLOSED.filter(({ path }) => path.includes('{organization}'));
export const OF_PROJECTS = CLOSED.filter(({ path }) => path.includes('{project}'));
/** of what is in a project */
export const OF_THINGS = OF_PROJECTS.filter(({ path }) => /\{project\}.*\{/.test(path));
export const OF_OPERATORS = declared.filter(({ access }) => access === 'operator');
/** of operators, in whatever organization */
export const OF_OPERATORS_ANYWHERE = declared.filter(({ access }) => isOfOperators(access));
export const PERMITTED = declared.flatMap(({ access, ...operation }) =>
  typeof access === 'string' || 'operator' in access
    ? []
    : [{ ...operation, permission: permissionOf(access) }],
);

function isOfOperators(access: RouteContract['access']): boolean {
  return typeof access !== 'string' && 'operator' in access;
}

function named({ method, path }: Omit<Operation, 'name'>): Operation {
  const verb = method.toUpperCase();
  return { name: `${verb} ${path}`, method: verb, path };
}

/** @param otherwise for what `values` does not have */
export function pathOf(path: string, values: Record<string, string>, otherwise?: string): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? otherwise;
    if (value === undefined) throw new Error(`estate.fixture.ts makes no ${name} yet`);
    return value;
  });
}
