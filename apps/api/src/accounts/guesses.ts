import { connect, type Redis } from '@slipway/redis';
import ipaddr from 'ipaddr.js';
import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterRedis,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import { TooManyRequests } from '../http/too-many-requests.ts';

/** Who guesses whose password. */
interface Guess {
  /** in lower case */
  email: string;
  ip: string;
}

/** Wrong passwords, in so many seconds. @see NIST SP 800-63B, section 5.2.2: 100 for an account */
const LIMITS = {
  pair: { points: 10, duration: 15 * 60 },
  account: { points: 100, duration: 86_400 },
  network: { points: 100, duration: 3_600 },
};
const KINDS = ['pair', 'account', 'network'] as const;
type Kind = (typeof KINDS)[number];

/**
 * How often a password may be guessed: of an account from one network, of an account from anywhere, and
 * of whatever accounts from one network. While Redis is away each process counts by itself.
 */
export class Guesses {
  readonly #redis: Redis;
  readonly #limiters: Readonly<Record<Kind, RateLimiterAbstract>>;

  constructor(redisUrl: string) {
    this.#redis = connect(redisUrl, { maxRetriesPerRequest: 1, enableOfflineQueue: false });
    const limiter = (kind: Kind): RateLimiterAbstract =>
      new RateLimiterRedis({
        ...LIMITS[kind],
        storeClient: this.#redis,
        keyPrefix: `guesses-${kind}`,
        insuranceLimiter: new RateLimiterMemory(LIMITS[kind]),
      });
    const [pair, account, network] = [limiter('pair'), limiter('account'), limiter('network')];
    this.#limiters = { pair, account, network };
  }

  /**
   * Counts a guess before it is known to be wrong: none of many at once is for nothing.
   * @returns what `isRight` does
   * @throws AppError `too-many-requests`
   */
  async count(guess: Guess, isRight: () => Promise<boolean>): Promise<boolean> {
    const keys = keysOf(guess);
    for (const kind of KINDS) await consume(this.#limiters[kind], keys[kind]);
    if (!(await isRight())) return false;
    await this.#limiters.pair.delete(keys.pair);
    await this.#limiters.account.delete(keys.account);
    await this.#limiters.network.reward(keys.network);
    return true;
  }

  close(): void {
    this.#redis.disconnect();
  }
}

async function consume(limiter: RateLimiterAbstract, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused;
    throw new TooManyRequests('Too many wrong passwords.', refused.msBeforeNext);
  }
}

function keysOf({ email, ip }: Guess): Record<Kind, string> {
  const network = networkOf(ip);
  return { pair: `${network} ${email}`, account: email, network };
}

/** Of IPv6 what one customer has: /64. */
function networkOf(ip: string): string {
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4') return address.toString();
  return address.toByteArray().slice(0, 8).join('.');
}
