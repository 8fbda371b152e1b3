import type { Endpoints } from './records.ts';

/** What a person needs of a platform that is up. */
export function banner(endpoints: Endpoints, options: { isDetached: boolean }): string {
  const { api, edge, registry, token, organization, project } = endpoints;
  return `
Slipway is up.

  API            ${api}/v1   (its OpenAPI document: ${api}/v1/openapi.json)
  services       ${edge.replace('127.0.0.1', '<name>.localhost')}
  registry       ${registry}   (any user name, the token as the password)
  token          ${token}
  organization   ${organization}
  project        ${project}

  try    curl -H "Authorization: Bearer ${token}" ${api}/v1/me
  stop   ${options.isDetached ? 'npm stop' : 'Ctrl-C'}
  logs   .slipway/logs/
`;
}
