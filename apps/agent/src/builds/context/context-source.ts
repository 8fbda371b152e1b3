import type { Readable } from 'node:stream';
import type { BuildOrder } from '@slipway/contracts';
import type { Connection } from '@slipway/rpc';

/** Gets the contexts of builds from the API. */
export class ContextSource {
  readonly #api: Connection;
  readonly #nodeId: string;

  constructor(api: Connection, nodeId: string) {
    this.#api = api;
    this.#nodeId = nodeId;
  }

  async open({ id, attempt }: BuildOrder, signal: AbortSignal): Promise<Readable> {
    const query = new URLSearchParams({ nodeId: this.#nodeId, attempt: String(attempt) });
    const path = `/builds/${id}/context?${query}`;
    const answer = await this.#api.request({ method: 'GET', path, signal });
    if (answer.statusCode === 200) return answer.body;
    const said = await answer.body.text();
    throw new Error(`the API has no context of ${id}: ${answer.statusCode} ${said.slice(0, 300)}`);
  }
}
