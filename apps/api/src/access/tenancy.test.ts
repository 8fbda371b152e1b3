import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { declaredRoutes, type RouteContract } from '../http/route.ts';
import { startTestApi, type TestApi } from '../testing/api.fixture.ts';
import { pushTestImage } from '../testing/image.fixture.ts';
import { joinTestNode, type TestNode } from '../testing/node.fixture.ts';
// every controller, and with it every route
import '../app.module.ts';

/* Each route there is, those that come later too: who may not, gets nothing, and learns nothing. */

let api: TestApi;
let node: TestNode;
let stranger: string;
/** what path parameters stand for: things of local/default */
const things: Record<string, string> = { organization: 'local', project: 'default' };
beforeAll(async () => {
  api = await startTestApi();
  node = await joinTestNode(api);
  await pushTestImage(api, 'local/default/app', 'latest');
  stranger = (await api.addTenant('stranger')).token;
  const made = await api.call('POST', pathOf(AT_CONTAINERS), { body: { image: 'app' } });
  things.container = made.body.id;
  const built = await api.call('POST', `${pathOf(AT_BUILDS)}?image=web`, {
    ...{ body: 'no tar: nobody builds it here', headers: { 'content-type': 'application/x-tar' } },
  });
  things.build = built.body.id;
  const served = await api.call('POST', pathOf(AT_SERVICES), {
    body: { name: 'web', template: { image: 'app' } },
  });
  things.service = served.body.id;
  things.deploy = served.body.latestDeploy.id;
});
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

const AT_CONTAINERS = '/v1/organizations/:organization/projects/:project/containers';
const AT_SERVICES = '/v1/organizations/:organization/projects/:project/services';
const AT_BUILDS = '/v1/organizations/:organization/projects/:project/builds';

function pathOf(path: string, values = things): string {
  return path.replace(/:(\w+)/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`this test makes no ${name} yet`);
    return value;
  });
}

const routes = declaredRoutes().filter(({ access }) => access !== 'public');
const ofProjects = routes.filter(({ access }) => access === 'project');
const ofThings = ofProjects.filter(({ path }) => /:project\/.*:/.test(path));
const named = (all: RouteContract[]) =>
  all.map((route) => ({ name: `${route.method} ${route.path}`, ...route }));

describe('without a key it is 401', () => {
  test.each(named(routes))('$name', async ({ method, path }) => {
    const answer = await api.call(method, pathOf(path), { token: null });
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  });
});

describe('another organization’s project is 404, as one that is not there', () => {
  test.each(named(ofProjects))('$name', async ({ method, path }) => {
    const foreign = await api.call(method, pathOf(path), { token: stranger });
    expect(foreign).toMatchObject({ status: 404, body: { code: 'not-found' } });
    const nowhere = pathOf(path, { ...things, organization: 'nowhere' });
    const absent = await api.call(method, nowhere, { token: stranger });
    expect(absent.body.detail.replace('nowhere', 'local')).toBe(foreign.body.detail);
  });
});

describe('a thing of another’s project is 404 through one’s own', () => {
  test.each(named(ofThings))('$name', async ({ method, path }) => {
    const own = { ...things, organization: 'stranger', project: 'web' };
    const answer = await api.call(method, pathOf(path, own), { token: stranger });
    expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });
});
