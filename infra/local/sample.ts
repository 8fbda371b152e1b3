import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { type components, createSlipway, type SlipwayClient } from '@slipway/client';
import { z } from 'zod';
import { ask } from './ask.ts';
import { readJson, writeWhole } from './files.ts';
import type { Instance } from './instance.ts';
import type { Progress } from './progress.ts';
import type { Endpoints } from './records.ts';
import { waitFor } from './wait.ts';

type Service = components['schemas']['Service'];

/** Its folder in `examples/`, and the name of its image and its service. */
const NAME = 'hello-node';
const BUILDS = '/v1/organizations/{organization}/projects/{project}/builds';
const SERVICES = '/v1/organizations/{organization}/projects/{project}/services';
const ANSWERS_WITHIN_MS = 120_000;

/** `.slipway/sample.json`: it was deployed, and as what. Who deletes it then is rid of it. */
const DeployedSchema = z.object({ service: z.string() });

/**
 * Builds and deploys the sample at the first start, by the public API and with the key, as anyone
 * would, and waits until it answers. @returns its URL; null when there is none (any more)
 */
export async function deploySample(
  endpoints: Endpoints,
  { checkout, stateDir }: Instance,
  progress: Progress,
): Promise<string | null> {
  const { api, token, organization, project } = endpoints;
  const sample = new Sample(createSlipway(api, { token }), { organization, project });
  const file = join(stateDir, 'sample.json');
  const deployed = DeployedSchema.safeParse(readJson(file)).data;
  if (deployed !== undefined) {
    const service = await sample.find(deployed.service);
    if (service === null) return null;
    await progress.step(`${NAME} answers`, () => untilAnswered(service.url));
    return service.url;
  }
  const title = `built and deployed examples/${NAME}`;
  return progress.step(title, async () => {
    const service = (await sample.begun()) ?? (await sample.create(join(checkout, 'examples')));
    await sample.untilDeployed(service);
    await untilAnswered(service.url);
    writeWhole(file, { service: service.id });
    return service.url;
  });
}

class Sample {
  readonly #slipway: SlipwayClient;
  readonly #path: { organization: string; project: string };

  constructor(slipway: SlipwayClient, path: { organization: string; project: string }) {
    this.#slipway = slipway;
    this.#path = path;
  }

  /** @param reference identifier or name */
  async find(reference: string): Promise<Service | null> {
    const path = { ...this.#path, service: reference };
    const { data, response } = await this.#slipway.GET(`${SERVICES}/{service}`, {
      params: { path },
    });
    if (data === undefined && response.status !== 404) throw refused(response);
    return data ?? null;
  }

  /** By a start that was ended in the middle; one that failed is deleted. */
  async begun(): Promise<Service | null> {
    const found = await this.find(NAME);
    if (found === null || ['queued', 'running', 'succeeded'].includes(found.latestDeploy.state)) {
      return found;
    }
    const path = { ...this.#path, service: found.id };
    await this.#slipway.DELETE(`${SERVICES}/{service}`, { params: { path } });
    return null;
  }

  /** @param examples the folder that has its folder */
  async create(examples: string): Promise<Service> {
    await this.#build(execFileSync('tar', ['-cz', '-C', join(examples, NAME), '.']));
    const template = { image: NAME, health: { path: '/healthz' } };
    const { data, response } = await this.#slipway.POST(SERVICES, {
      params: { path: this.#path },
      body: { name: NAME, template },
    });
    if (data === undefined) throw refused(response);
    return data;
  }

  async untilDeployed({ id, latestDeploy }: Service): Promise<void> {
    const path = { ...this.#path, service: id, deploy: latestDeploy.id };
    await untilSucceeded(() =>
      this.#slipway.GET(`${SERVICES}/{service}/deploys/{deploy}/wait`, { params: { path } }),
    );
  }

  async #build(context: Buffer): Promise<void> {
    const begun = await this.#slipway.POST(BUILDS, {
      params: { path: this.#path, query: { image: NAME } },
      headers: { 'content-type': 'application/gzip' },
      body: context as unknown as string,
      bodySerializer: (body) => body as unknown as Uint8Array<ArrayBuffer>,
    });
    if (begun.data === undefined) throw refused(begun.response);
    const path = { ...this.#path, build: begun.data.id };
    await untilSucceeded(() => this.#slipway.GET(`${BUILDS}/{build}/wait`, { params: { path } }));
  }
}

type Outcome = Pick<components['schemas']['Deploy'], 'state' | 'message' | 'finishedAt'>;

/** @throws Error with its message when it ends in another way */
async function untilSucceeded(
  wait: () => Promise<{ data?: Outcome; response: Response }>,
): Promise<void> {
  for (;;) {
    const { data, response } = await wait();
    if (data === undefined) throw refused(response);
    if (data.state === 'succeeded') return;
    if (data.finishedAt !== null) throw new Error(data.message ?? data.state);
  }
}

function refused({ url, status }: Response): Error {
  return new Error(`${url} answers ${status}`);
}

async function untilAnswered(url: string): Promise<void> {
  const answered = async (): Promise<true> => {
    const { status } = await ask(url);
    if (status >= 500) throw new Error(`it answers ${status}`);
    return true;
  };
  await waitFor(url, answered, { timeoutMs: ANSWERS_WITHIN_MS });
}
