import { LRUCache } from 'lru-cache';

/** How long a finding is taken for what still is. With a look-up that takes as long, it is half of what may pass. */
const RECENT_MS = 500;
const MAX_FINDINGS = 10_000;

/**
 * What was found in the database a moment ago: each process forgets by itself, so nobody needs to be told
 * (docs/decisions/0021-revocation-holds-within-a-second.md). What was not there is looked for each time.
 */
export class Recent<Finding extends object> {
  readonly #findings: LRUCache<string, Finding>;
  readonly #now: () => number;

  /** @param now in ms, from anywhere */
  constructor(now = () => performance.now()) {
    this.#now = now;
    const perf = { now };
    this.#findings = new LRUCache({ max: MAX_FINDINGS, ttl: RECENT_MS, ttlResolution: 0, perf });
  }

  /** @returns null, as `find`, when there is none */
  async get(key: string, find: () => Promise<Finding | null>): Promise<Finding | null> {
    const known = this.#findings.get(key);
    if (known !== undefined) return known;
    const start = this.#now(); // it may have changed as soon as it was read
    const found = await find();
    if (found !== null) this.#findings.set(key, found, { start });
    return found;
  }
}
