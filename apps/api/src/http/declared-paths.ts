import { declaredRoutes } from './route.ts';

let compiled: { size: number; paths: { pattern: RegExp; method: string }[] } | null = null;

/** The methods that some route serves at a path: tells 405 from 404. */
export function methodsOfPath(path: string): string[] {
  const routes = declaredRoutes();
  if (compiled?.size !== routes.length) {
    compiled = {
      size: routes.length,
      paths: routes.map((route) => ({ method: route.method, pattern: patternOf(route.path) })),
    };
  }
  const methods = compiled.paths.filter(({ pattern }) => pattern.test(path));
  return [...new Set(methods.map(({ method }) => method))];
}

function patternOf(path: string): RegExp {
  const parts = path
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}$`);
}
