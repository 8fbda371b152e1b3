import { randomUUID } from 'node:crypto';
import type { ContainerdRpc } from './rpc.ts';

/** Longer than any work under a lease takes; a killed agent's lease ends by itself. */
const LASTS_MS = 60 * 60_000;

/** Keeps what is being made, and not referred to yet, from the garbage collector. */
export class Leases {
  readonly #rpc: ContainerdRpc;

  constructor(rpc: ContainerdRpc) {
    this.#rpc = rpc;
  }

  async during<T>(work: (lease: string) => Promise<T>): Promise<T> {
    const id = randomUUID();
    await this.#rpc.call('leases.v1.Leases/Create', ['CreateLeaseRequest', 'LeaseResponse'], {
      id,
      labels: { 'containerd.io/gc.expire': new Date(Date.now() + LASTS_MS).toISOString() },
    });
    try {
      return await work(id);
    } finally {
      await this.end(id).catch(() => {}); // it expires
    }
  }

  /** @param sync only when the garbage is collected */
  async end(id: string, { sync }: { sync: boolean } = { sync: false }): Promise<void> {
    await this.#rpc.call('leases.v1.Leases/Delete', ['DeleteLeaseRequest', 'Empty'], { id, sync });
  }
}
