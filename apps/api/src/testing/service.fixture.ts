import type { Observation } from '@slipway/contracts';
import { startThrowawayRedis } from '@slipway/infra';
import { RouteTable } from '@slipway/routes';
import { expect, vi } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.ts';
import { pushTestImage } from './image.fixture.ts';
import { joinTestNode, type TestNode } from './node.fixture.ts';

export const P = '/v1/organizations/local/projects/default';
export const WITHIN = { timeout: 30_000 };

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of it
export type Body = any;

const now = () => new Date().toISOString();

/** Services of the default project, of which the image is `app:v1`. The test is their node, and their edge. */
export class ServiceStage implements AsyncDisposable {
  readonly api: TestApi;
  readonly node: TestNode;
  /** as an edge has them */
  readonly routes: RouteTable;
  /** of the image */
  readonly digest: string;
  readonly #redis: Awaited<ReturnType<typeof startThrowawayRedis>>;

  private constructor(parts: {
    api: TestApi;
    node: TestNode;
    routes: RouteTable;
    digest: string;
    redis: Awaited<ReturnType<typeof startThrowawayRedis>>;
  }) {
    this.api = parts.api;
    this.node = parts.node;
    this.routes = parts.routes;
    this.digest = parts.digest;
    this.#redis = parts.redis;
  }

  static async set(): Promise<ServiceStage> {
    // routes are of one API: no other test has this Redis
    const redis = await startThrowawayRedis();
    const api = await startTestApi({ REDIS_URL: redis.url });
    const node = await joinTestNode(api);
    const routes = await RouteTable.open(redis.url);
    const digest = await pushTestImage(api, 'local/default/app', 'v1');
    return new ServiceStage({ api, node, routes, digest, redis });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.routes.close();
    await this.node[Symbol.asyncDispose]();
    await this.api[Symbol.asyncDispose]();
    await this.#redis[Symbol.asyncDispose]();
  }

  get = async (path: string): Promise<Body> => (await this.api.call('GET', `${P}/${path}`)).body;

  create = async (name: string, template: object = {}): Promise<Body> => {
    const body = { name, template: { image: 'app:v1', ...template } };
    const answer = await this.api.call('POST', `${P}/services`, { body });
    expect(answer).toMatchObject({ status: 202, body: { name, serving: false } });
    return answer.body;
  };

  patch = (service: Body, template: object): ReturnType<TestApi['call']> =>
    this.api.call('PATCH', `${P}/services/${service.id}`, {
      body: { template },
      headers: { 'content-type': 'application/merge-patch+json' },
    });

  /** @returns the service with its new deploy */
  change = async (service: Body, template: object): Promise<Body> => {
    const answer = await this.patch(service, template);
    expect(answer).toMatchObject({ status: 202, body: { id: service.id } });
    return answer.body;
  };

  deployOf = ({ id, latestDeploy }: Body): Promise<Body> =>
    this.get(`services/${id}/deploys/${latestDeploy.id}`);

  isInPhase = (name: string, service: Body): Promise<void> =>
    vi.waitFor(async () => {
      const { state, phases } = await this.deployOf(service);
      const now = phases.find(({ state }: Body) => state === 'running');
      expect({ state, name: now?.name }).toEqual({ state: 'running', name });
    }, WITHIN);

  over = ({ id, latestDeploy }: Body): Promise<Body> =>
    this.get(`services/${id}/deploys/${latestDeploy.id}/wait?timeoutMs=30000`);

  /** The container that its deploy was given. */
  instanceOf = async (service: Body): Promise<Body> => {
    const { container } = await vi.waitFor(async () => {
      const deploy = await this.deployOf(service);
      expect(deploy.container).not.toBeNull();
      return deploy;
    }, WITHIN);
    return this.get(`containers/${container}`);
  };

  isIn = (state: string, { id }: Body): Promise<Body> =>
    vi.waitFor(async () => {
      const container = await this.get(`containers/${id}`);
      expect(container).toMatchObject({ state });
      return container;
    }, WITHIN);

  report = (engineId: string, observation: Observation): Promise<unknown> =>
    this.node.calls.reportContainer({ nodeId: this.node.id, engineId, observation });

  begin = async ({ engineId }: Body, generation = 1): Promise<void> => {
    await this.report(engineId, { state: 'running', generation, startedAt: now() });
  };

  getReady = async (instance: Body, generation = 1): Promise<void> => {
    await this.begin(instance, generation);
    await this.report(instance.engineId, { state: 'ready', generation });
  };

  serving = async (name: string): Promise<{ service: Body; instance: Body }> => {
    const service = await this.create(name);
    return { service, instance: await this.served(service) };
  };

  /** Its newest deploy succeeds. @returns the instance */
  served = async (service: Body): Promise<Body> => {
    const instance = await this.instanceOf(service);
    await this.getReady(instance);
    expect(await this.over(service)).toMatchObject({ state: 'succeeded' });
    return instance;
  };

  routesTo = (service: Body, ...engineIds: string[]): Promise<void> =>
    vi.waitFor(() => {
      const route = this.routes.find(hostOf(service));
      expect(route?.instances.map(({ engineId }) => engineId)).toEqual(engineIds);
    }, WITHIN);
}

export function hostOf({ url }: Body): string {
  return new URL(url).hostname;
}

export function exited(generation: number): Observation {
  return {
    ...{ state: 'exited', generation, exitCode: 3, startedAt: now(), finishedAt: now() },
    ...{ reason: 'error', message: 'Its program ended with exit code 3.' },
  };
}
