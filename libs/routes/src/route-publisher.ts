import { type EdgeReport, EdgeReportSchema, type RouteChange } from '@slipway/contracts';
import { connect, type Redis } from '@slipway/redis';
import { CHANGES, EDGES, edgeKey, ROUTES, SERVED, VERSION } from './keys.ts';

/**
 * KEYS the hash, the version; ARGV the channel, the version to follow, the new version, and for each
 * change its host, its JSON, and `gone` or nothing. Returns 1, or 0 when another version is there.
 */
const PUBLISH = `
if (redis.call('GET', KEYS[2]) or '0') ~= ARGV[2] then return 0 end
for i = 4, #ARGV, 3 do
  if ARGV[i + 2] == 'gone' then
    redis.call('HDEL', KEYS[1], ARGV[i])
  else
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  end
  redis.call('PUBLISH', ARGV[1], ARGV[i + 1])
end
redis.call('SET', KEYS[2], ARGV[3])
return 1`;

/** How much an edge has served of a service, since it began. */
export interface Served {
  edgeId: string;
  serviceId: string;
  bytes: number;
  /** the edge has told its last */
  isGone: boolean;
}

/** Hands changes of routes to Redis and to all who follow them there. Several may do so at once. */
export class RoutePublisher {
  readonly #connection: Redis;

  /** @param url `redis://…`, or the path of a Unix socket */
  constructor(url: string) {
    this.#connection = connect(url, { maxRetriesPerRequest: 1, enableOfflineQueue: false });
  }

  /** Up to which version Redis has the routes; 0: it has none (any more). @throws while Redis is away */
  async version(): Promise<number> {
    return Number((await this.#connection.get(VERSION)) ?? 0);
  }

  /**
   * @param after what `version` said
   * @param changes all that come next, in the order of their versions
   * @returns false when others have published meanwhile: nothing was done
   */
  async publish(after: number, changes: readonly RouteChange[]): Promise<boolean> {
    const newest = changes.at(-1)?.version ?? after;
    const told = changes.flatMap((change) => [
      ...[change.host, JSON.stringify(change)],
      change.route === null ? 'gone' : '',
    ]);
    const done = await this.#connection.eval(
      ...([PUBLISH, 2, ROUTES, VERSION] as const),
      ...[CHANGES, String(after), String(newest), ...told],
    );
    return done === 1;
  }

  /** Of each edge that lives. @throws while Redis is away */
  async edges(): Promise<EdgeReport[]> {
    const ids = await this.#connection.smembers(EDGES);
    if (ids.length === 0) return [];
    const told = await this.#connection.mget(ids.map(edgeKey));
    const gone = ids.filter((_, index) => told[index] === null);
    if (gone.length > 0) await this.#connection.srem(EDGES, ...gone);
    return told
      .filter((text) => text !== null)
      .map((text) => EdgeReportSchema.parse(JSON.parse(text)));
  }

  /** What edges have told that they served, also those that are gone. @throws while Redis is away */
  async served(): Promise<Served[]> {
    const fields = await this.#connection.hkeys(SERVED);
    if (fields.length === 0) return [];
    const edgeIds = new Set(fields.map((field) => field.split('/', 1)[0] ?? ''));
    const gone = new Set(await this.gone([...edgeIds]));
    // what an edge told last, it told before it was gone
    const totals = await this.#connection.hmget(SERVED, ...fields);
    return fields.map((field, index) => {
      const [edgeId = '', serviceId = ''] = field.split('/');
      return { edgeId, serviceId, bytes: Number(totals[index]), isGone: gone.has(edgeId) };
    });
  }

  /** Of these edges, those that are gone; one that only was away comes back. @throws while Redis is away */
  async gone(edgeIds: readonly string[]): Promise<string[]> {
    if (edgeIds.length === 0) return [];
    const told = await this.#connection.mget(edgeIds.map(edgeKey));
    return edgeIds.filter((_, index) => told[index] === null);
  }

  /** That is counted, and its edge gone. @throws while Redis is away */
  async forgetServed(served: readonly Served[]): Promise<void> {
    if (served.length === 0) return;
    await this.#connection.hdel(
      SERVED,
      ...served.map(({ edgeId, serviceId }) => `${edgeId}/${serviceId}`),
    );
  }

  close(): void {
    this.#connection.disconnect();
  }
}
