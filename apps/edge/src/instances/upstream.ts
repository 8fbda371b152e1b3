import { Pool } from 'undici';
import type { Limits } from '../limits.ts';

/** An instance at its address, with connections to it. */
export class Upstream {
  readonly address: string;
  readonly pool: Pool;
  /** when its agent said last that it is there */
  confirmedMs = performance.now();
  /** when somebody last wanted it */
  lastUsedMs = performance.now();

  constructor(address: string, port: number, limits: Limits) {
    this.address = address;
    this.pool = new Pool(`http://${address}:${port}`, {
      connectTimeout: limits.connectTimeoutMs,
      headersTimeout: limits.headTimeoutMs,
      bodyTimeout: 0, // events may be far apart
    });
  }
}
