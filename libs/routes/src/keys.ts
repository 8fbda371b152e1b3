/** A hash: by host, the newest change of each host that leads somewhere. */
export const ROUTES = 'routes';
/** The version of the newest change that the hash has. */
export const VERSION = 'routes:version';
/** Where each change is told, in the order of versions. */
export const CHANGES = 'routes:changes';
/** A set: identifiers of edges. */
export const EDGES = 'routes:edges';
/** What an edge told last; it expires. */
export const edgeKey = (id: string): string => `${EDGES}:${id}`;
/** A hash: by `<edge id>/<service id>`, how many bytes that edge has served of the service since it began. */
export const SERVED = 'routes:served';
