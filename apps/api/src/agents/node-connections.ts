import { Injectable } from '@nestjs/common';
import { type Connection, connect } from '@slipway/rpc';

/** To the agents, for what they stream. */
@Injectable()
export class NodeConnections {
  readonly #open = new Map<string, Connection>();

  /** @param endpoint as the node announced it */
  to(endpoint: string): Connection {
    const known = this.#open.get(endpoint) ?? connect(endpoint);
    this.#open.set(endpoint, known);
    return known;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((connection) => connection.destroy()));
  }
}
