/** A container that is attached to a subnet, and what it is called there. */
export interface Endpoint {
  engineId: string;
  /** the subnet's */
  gateway: string;
  address: string;
  /** the first is the usual one */
  names: readonly string[];
}

/** Who is called what in each of the node's subnets. Names are told apart as DNS does: without regard to case. */
export class Names {
  readonly #subnets = new Map<string, Map<string, Endpoint>>();

  add(endpoint: Endpoint): void {
    const { engineId, gateway } = endpoint;
    const subnet = this.#subnets.get(gateway) ?? new Map();
    this.#subnets.set(gateway, subnet.set(engineId, endpoint));
  }

  remove(engineId: string): void {
    for (const [gateway, subnet] of this.#subnets) {
      if (subnet.delete(engineId) && subnet.size === 0) this.#subnets.delete(gateway);
    }
  }

  addressesOf(gateway: string, name: string): string[] {
    const wanted = name.toLowerCase();
    return this.#in(gateway)
      .filter(({ names }) => names.some((known) => known.toLowerCase() === wanted))
      .map(({ address }) => address);
  }

  nameOf(gateway: string, address: string): string | null {
    return this.#in(gateway).find((known) => known.address === address)?.names[0] ?? null;
  }

  #in(gateway: string): Endpoint[] {
    return [...(this.#subnets.get(gateway)?.values() ?? [])];
  }
}
