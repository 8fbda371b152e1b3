import { Pool } from 'undici';
import type { Limits } from '../limits.ts';

/** An instance at its address, with connections to it. */
export class Upstream {
  readonly address: string;
  readonly pool: Pool;
  /** when its agent said last that it is there */
  confirmedMs = performance.now();
  #underWay = 0;
  #lastUsedMs = performance.now();

  constructor(address: string, port: number, limits: Limits) {
    this.address = address;
    this.pool = new Pool(`http://${address}:${port}`, {
      connectTimeout: limits.connectTimeoutMs,
      headersTimeout: limits.headTimeoutMs,
      bodyTimeout: 0, // events may be far apart
    });
  }

  /** Requests and upgraded connections. */
  get underWay(): number {
    return this.#underWay;
  }

  /** How long nothing has been under way. */
  idleMs(nowMs: number): number {
    return this.#underWay > 0 ? 0 : nowMs - this.#lastUsedMs;
  }

  /** @returns to be called once, when what begins now is over */
  begin(): () => void {
    this.#underWay++;
    return () => {
      this.#underWay--;
      this.#lastUsedMs = performance.now();
    };
  }
}
