import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createSlipway } from '@slipway/client';
import { provideBaseImages } from './base-images/index.ts';
import { requireRoom } from './bootstrap/room.mjs';
import { claim } from './claim.ts';
import { type Env, inheritedEnv } from './env.ts';
import { writeWhole } from './files.ts';
import { type Instance, stateLinkOf } from './instance.ts';
import { Keepers } from './keepers.ts';
import { knownTools, providePackages, type Toolbox } from './packages/index.ts';
import { agentPart, logsPart } from './parts/agent.ts';
import { apiPart } from './parts/api.ts';
import { containerdPart } from './parts/containerd.ts';
import { edgePart } from './parts/edge.ts';
import type { Part } from './parts/part.ts';
import { postgresPart } from './parts/postgres.ts';
import { redisPart } from './parts/redis.ts';
import { startTimeOf } from './process.ts';
import type { Progress } from './progress.ts';
import { reap, reapOthers, reapOwn } from './reaper/reaper.ts';
import {
  type Endpoints,
  endpointsFileOf,
  liveProcesses,
  type RunningProcess,
  statesFileOf,
  writeProcesses,
} from './records.ts';
import { deploySample } from './sample.ts';

/** In the state directory; made at the first start. */
const TOKEN_FILE = 'operator-token';

/** Everything of an instance, started and kept running in this process; its hold is the caller's. */
export class Platform {
  readonly #instance: Instance;
  readonly #env: Env;
  readonly #progress: Progress;
  /** open, so that no other folder can have its inode */
  readonly #stateDir: number;
  #keepers: Keepers | null = null;
  /** of a killed start: in the list until they are cleared */
  #left: RunningProcess[];
  #isStopping = false;
  #installing: Promise<unknown> = Promise.resolve();

  constructor(instance: Instance, env: Env, progress: Progress) {
    this.#instance = instance;
    this.#env = env;
    this.#progress = progress;
    this.#left = liveProcesses(instance);
    mkdirSync(join(instance.stateDir, 'logs'), { recursive: true });
    chmodSync(instance.stateDir, 0o700);
    this.#stateDir = openSync(instance.stateDir, 'r');
    this.#record();
  }

  /** The checkout was deleted or moved away while it runs: what is at its path is somebody else's. */
  get isOrphan(): boolean {
    const found = statSync(this.#instance.stateDir, { throwIfNoEntry: false });
    const own = fstatSync(this.#stateDir);
    return found?.dev !== own.dev || found?.ino !== own.ino;
  }

  /** From whatever was left to everything up. @throws Error that says what a person can do */
  async start(): Promise<Endpoints> {
    const instance = this.#instance;
    const progress = this.#progress;
    requireRoomFor(instance);
    const providing = providePackages(instance, this.#env, progress);
    this.#installing = providing;
    const tools = await providing;
    await clear(instance, tools, progress);
    this.#left = [];
    mkdirSync(instance.runDir, { recursive: true });
    symlinkSync(instance.stateDir, stateLinkOf(instance));
    const claimed = await claim(instance, tools);
    const { ports } = claimed;
    const token = secret(instance, TOKEN_FILE, 'slp_');
    const secretKey = secret(instance, 'secret-key');
    const partsFile = statesFileOf(instance);
    const apiSettings = { ports, operatorToken: token, secretKey, partsFile };
    await this.#keep([
      ...(this.#env.DATABASE_URL === undefined ? [postgresPart(instance, this.#env, tools)] : []),
      redisPart(instance, tools),
      containerdPart(instance, this.#env, tools),
      logsPart(instance, claimed, tools),
      apiPart(instance, apiSettings, { env: this.#env, progress }),
      agentPart(instance, claimed, tools),
      edgePart(instance, ports),
    ]);
    const api = `http://127.0.0.1:${ports.api}`;
    const registry = `127.0.0.1:${ports.registry}`;
    const context = { instance, env: this.#env, tools, progress };
    await provideBaseImages({ url: `http://${registry}`, token }, context);
    const edge = `http://127.0.0.1:${ports.edge}`;
    const known = { api, edge, registry, token, ...(await ownProject(api, token)) };
    const sampleUrl = await this.#deploySample(known);
    const endpoints = { ...known, ...(sampleUrl === null ? {} : { sampleUrl }) };
    writeWhole(endpointsFileOf(instance), endpoints);
    return endpoints;
  }

  /** Ends everything and leaves only data. Also in the middle of a start. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    rmSync(endpointsFileOf(this.#instance), { force: true });
    await this.#installing.catch(() => {}); // apt is not interrupted
    await this.#keepers?.stop(this.#progress);
    await reapOwn(this.#instance, knownTools(this.#instance, this.#env));
  }

  async #keep(parts: readonly Part[]): Promise<void> {
    if (this.#isStopping) throw new Error('stopped while it started');
    this.#keepers = new Keepers(parts, (name) => ({
      logFile: join(this.#instance.stateDir, 'logs', `${name}.log`),
      env: { ...inheritedEnv(this.#env), SLIPWAY_HOME: this.#instance.stateDir },
      onChange: () => this.#record(),
      say: (line) => this.#progress.line(`${new Date().toISOString()} ${line}`),
    }));
    await this.#keepers.start(this.#progress);
  }

  /** A platform without it is of use all the same. */
  async #deploySample(endpoints: Endpoints): Promise<string | null> {
    try {
      return await deploySample(endpoints, this.#instance, this.#progress);
    } catch (error) {
      if (this.#isStopping) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      this.#progress.line(`✘ the sample is not there: ${reason}`);
      return null;
    }
  }

  /** Tells a later stop what runs, and the API which parts are up. */
  #record(): void {
    try {
      this.#write();
    } catch (error) {
      // A full disk is no reason to end what runs.
      this.#progress.line(`the state cannot be written: ${(error as Error).message}`);
    }
  }

  #write(): void {
    if (this.isOrphan) return; // nobody is left to tell
    const own = { name: 'supervisor', pid: process.pid, startTime: startTimeOf(process.pid) ?? '' };
    const kept = this.#keepers?.processes ?? [];
    writeProcesses(this.#instance, [own, ...kept, ...this.#left]);
    if (this.#keepers === null || !existsSync(this.#instance.runDir)) return;
    writeWhole(statesFileOf(this.#instance), this.#keepers.states);
  }
}

/** @throws Error that says in a sentence how much is missing */
function requireRoomFor({ stateDir }: Instance): void {
  const isFirst = !existsSync(join(stateDir, TOKEN_FILE));
  if (isFirst) requireRoom(stateDir, 1024, 'the first start of Slipway');
  else requireRoom(stateDir, 128, 'Slipway');
}

/** What killed instances left, this one first. */
async function clear(instance: Instance, tools: Toolbox, progress: Progress): Promise<void> {
  const begun = performance.now();
  const found = [...(await reap(instance, tools)), ...(await reapOthers(instance, tools))];
  if (found.length === 0) return;
  const tookMs = Math.round(performance.now() - begun);
  progress.line(`✔ cleared what a killed start left: ${found.join(', ')}  ${tookMs} ms`);
}

/** What the key opens, asked like anyone would. */
async function ownProject(
  api: string,
  token: string,
): Promise<{ organization: string; project: string }> {
  const slipway = createSlipway(api, { token });
  const { data, response } = await slipway.GET('/v1/me');
  const project = data?.projects[0];
  if (project === undefined) throw new Error(`${api}/v1/me answers ${response.status}`);
  return { organization: project.organization, project: project.slug };
}

/** Random, and the same at every start: made at the first one. */
function secret({ stateDir }: Instance, name: string, prefix = ''): string {
  const file = join(stateDir, name);
  if (!existsSync(file)) {
    const text = `${prefix}${randomBytes(32).toString('base64url')}\n`;
    writeFileSync(file, text, { mode: 0o600 });
  }
  return readFileSync(file, 'utf8').trim();
}
