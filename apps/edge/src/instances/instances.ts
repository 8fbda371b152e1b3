import { AGENT_CALLS, type Instance } from '@slipway/contracts';
import { Connections, callerOf } from '@slipway/rpc';
import type { Limits } from '../limits.ts';
import { keyOf } from './key.ts';
import type { UnderWay } from './under-way.ts';
import { Upstream } from './upstream.ts';

/**
 * An instance that nobody has asked for is forgotten: of those that routes no longer name nothing
 * stays, and nobody has to tell. Asking for one again costs a call on a Unix socket.
 */
export const IDLE_MS = 60_000;
const SWEEP_EVERY_MS = 15_000;

/** Where instances are: their agents say so. */
export class Instances {
  readonly #limits: Limits;
  readonly #underWay: UnderWay;
  readonly #agents = new Connections();
  readonly #known = new Map<string, Upstream>();
  readonly #asked = new Map<string, Promise<Upstream>>();
  readonly #sweeper: NodeJS.Timeout;

  /** @param underWay while something is to an instance, it is kept */
  constructor(limits: Limits, underWay: UnderWay) {
    this.#limits = limits;
    this.#underWay = underWay;
    this.#sweeper = setInterval(() => this.sweep(performance.now()), SWEEP_EVERY_MS);
    this.#sweeper.unref();
  }

  /** How many pools of connections there are. */
  get count(): number {
    return this.#known.size;
  }

  /** @throws when its agent is away, or knows no address of it */
  reach(instance: Instance): Promise<Upstream> {
    const key = keyOf(instance);
    const known = this.#known.get(key);
    if (known !== undefined) {
      known.lastUsedMs = performance.now();
      if (this.#isConfirmed(known)) return Promise.resolve(known);
    }
    const asked = this.#asked.get(key) ?? this.#ask(instance, key);
    this.#asked.set(key, asked);
    return asked;
  }

  /** It was not there: the next one who wants it asks its agent. What is under way goes on. */
  forget(instance: Instance, upstream: Upstream): void {
    const key = keyOf(instance);
    if (this.#known.get(key) !== upstream) return; // somebody else has asked already
    this.#drop(key, upstream);
  }

  /** Forgets what is idle. @param nowMs of `performance.now()` */
  sweep(nowMs: number): void {
    for (const [key, upstream] of this.#known) {
      const isIdle = nowMs - upstream.lastUsedMs >= IDLE_MS && !this.#underWay.has(key);
      if (isIdle) this.#drop(key, upstream);
    }
  }

  /** Cuts what is under way. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await Promise.all([
      ...[...this.#known.values()].map(({ pool }) => pool.destroy()),
      this.#agents.close(),
    ]);
  }

  async #ask(instance: Instance, key: string): Promise<Upstream> {
    const known = this.#known.get(key);
    try {
      const address = await this.#addressOf(instance);
      if (known !== undefined && known.address === address) {
        known.confirmedMs = performance.now();
        return known;
      }
      if (known !== undefined) this.forget(instance, known);
      if (address === null) throw new UnknownInstance('its agent knows no address of it');
      const upstream = new Upstream(address, instance.port, this.#limits);
      this.#known.set(key, upstream);
      return upstream;
    } catch (error) {
      // While its agent is away nobody ends or begins anything there.
      if (known !== undefined && !(error instanceof UnknownInstance)) return known;
      throw error;
    } finally {
      this.#asked.delete(key);
    }
  }

  #isConfirmed({ confirmedMs }: Upstream): boolean {
    return performance.now() - confirmedMs < this.#limits.confirmEveryMs;
  }

  async #addressOf({ node, engineId }: Instance): Promise<string | null> {
    const agent = callerOf(this.#agents.to(node), AGENT_CALLS);
    const signal = AbortSignal.timeout(this.#limits.agentTimeoutMs);
    return (await agent.containerAddress({ engineId }, { signal })).address;
  }

  #drop(key: string, upstream: Upstream): void {
    this.#known.delete(key);
    void upstream.pool.close();
  }
}

class UnknownInstance extends Error {}
