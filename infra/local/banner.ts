import type { Endpoints } from './records.ts';

/** What a person needs of a platform that is up. */
export function banner(endpoints: Endpoints, options: { isDetached: boolean }): string {
  const { api, edge, registry, token, organization, project, sampleUrl } = endpoints;
  const sample =
    sampleUrl === undefined ? '' : `\n  sample         ${sampleUrl}   (examples/hello-node)`;
  const curl =
    sampleUrl === undefined
      ? `curl -H "Authorization: Bearer ${token}" ${api}/v1/me`
      : `curl ${sampleUrl}`;
  return `
Slipway is up.
${sample}
  API            ${api}/v1   (its OpenAPI document: ${api}/v1/openapi.json)
  edge           ${edge}   (services answer here, each to its own host name)
  registry       ${registry}   (any user name, the token as the password)
  token          ${token}
  organization   ${organization}
  project        ${project}

  try    ${curl}
  stop   ${options.isDetached ? 'npm stop' : 'Ctrl-C'}
  logs   .slipway/logs/
`;
}
