import { type Connection, connect } from './endpoint.ts';

/** To many processes of ours, each made when it is needed first. */
export class Connections {
  readonly #open = new Map<string, Connection>();

  /** @param endpoint as `connect` takes it */
  to(endpoint: string): Connection {
    const known = this.#open.get(endpoint) ?? connect(endpoint, null);
    this.#open.set(endpoint, known);
    return known;
  }

  /** Cuts what is under way. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((connection) => connection.destroy()));
  }
}
