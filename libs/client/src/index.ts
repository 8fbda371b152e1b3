import createClient, { type Client } from 'openapi-fetch';
import type { paths } from './schema.ts';

export type { components, operations, paths } from './schema.ts';
export type SlipwayClient = Client<paths>;

/**
 * Typed calls of every operation.
 * @param baseUrl the API's, without a trailing slash: `http://127.0.0.1:7700`
 * @param options.token an API key
 */
export function createSlipway(baseUrl: string, options: { token?: string } = {}): SlipwayClient {
  const { token } = options;
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return createClient<paths>({ baseUrl, headers });
}
