import type { Instance, Route } from '@slipway/contracts';
import { keyOf } from './key.ts';

/** Requests and upgraded connections to instances, each from the moment the instance was chosen for it. */
export class UnderWay {
  readonly #visited = new Map<string, Visited>();

  /** @returns to be called once, when what begins now is over */
  begin({ host }: Route, instance: Instance): () => void {
    const key = keyOf(instance);
    const visited = this.#visited.get(key) ?? { host, instance, count: 0 };
    this.#visited.set(key, visited);
    visited.count++;
    return () => {
      visited.count--;
      if (visited.count === 0) this.#visited.delete(key);
    };
  }

  /** @param key of an instance */
  has(key: string): boolean {
    return this.#visited.has(key);
  }

  count(instance: Instance): number {
    return this.#visited.get(keyOf(instance))?.count ?? 0;
  }

  /** Engine ids of those to which something is under way and new requests do not come. */
  leaving(find: (host: string) => Route | null): string[] {
    const isRouted = ({ host, instance }: Visited): boolean =>
      find(host)?.instances.some(({ engineId }) => engineId === instance.engineId) ?? false;
    return [...this.#visited.values()]
      .filter((visited) => !isRouted(visited))
      .map(({ instance }) => instance.engineId);
  }
}

interface Visited {
  host: string;
  instance: Instance;
  count: number;
}
