import { expect } from 'vitest';
import type { TestApi } from './api.fixture.ts';
import { pushTestImage } from './image.fixture.ts';
import type { TestNode } from './node.fixture.ts';
import { addMember, type Person } from './person.fixture.ts';

/** One of each thing that a path may name, by its parameter's name; and a `context`. */
export type Estate = Record<string, string>;

/**
 * Furnishes the organization of a person and its project `default`, which nothing else has used.
 * @param canary the value of an environment variable of all that has some
 */
export async function furnish(
  api: TestApi,
  node: TestNode,
  { owner, canary }: { owner: Person; canary: string },
): Promise<Estate> {
  const { name: organization } = owner;
  const at = `/v1/organizations/${organization}`;
  const inProject = `${at}/projects/default`;
  const made = async (method: string, path: string, body?: unknown) => {
    const answer = await owner.call(method, path, body);
    expect([path, answer.status, answer.body]).toEqual([
      path,
      expect.toSatisfy(isFine),
      answer.body,
    ]);
    return answer.body;
  };
  const sent = async (path: string) => {
    const headers = { ...owner.headers, 'content-type': 'application/x-tar' };
    const body = 'no tar: nobody builds it';
    return (await api.call('POST', `${inProject}${path}`, { ...owner, body, headers })).body.id;
  };

  const sessions = await made('GET', '/v1/me/sessions');
  const key = await made('POST', `${at}/api-keys`, { name: 'ci', role: 'developer' });
  await pushTestImage({ ...api, token: key.token }, `${organization}/default/app`, 'latest');
  const guest = await addMember(api, owner, { name: `${organization}s-guest`, role: 'viewer' });
  const invited = { email: `${organization}s-friend@example.test`, role: 'viewer' };
  const env = { CANARY: canary };
  const container = await made('POST', `${inProject}/containers`, { image: 'app', env });
  const template = { image: 'app', env };
  const service = await made('POST', `${inProject}/services`, { name: 'web', template });
  const revisions = await made('GET', `${inProject}/services/web/revisions`);
  return {
    ...{ organization, project: 'default', node: node.id },
    session: sessions.items[0].id,
    key: key.id,
    user: (await guest.call('GET', '/v1/me')).body.user.id,
    invitation: (await made('POST', `${at}/invitations`, invited)).id,
    container: container.id,
    build: await sent('/builds?image=web'),
    context: await sent('/contexts'),
    ...{ service: service.id, deploy: service.latestDeploy.id, revision: revisions.items[0].id },
  };
}

const isFine = (status: number) => status < 300;
