import { constants, mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDigest } from '@slipway/oci';
import type { Seccomp } from '../../containers/seccomp.ts';
import type { Builder, BuildWork, ProgressSink } from '../builder.ts';
import { removeCgroup } from '../sandbox/cgroup.ts';
import type { RegistryPassages } from '../sandbox/registry-passages.ts';
import { runInSandbox } from '../sandbox/sandbox.ts';
import type { SandboxMount } from '../sandbox/sandbox-spec.ts';
import { buildCommand, DIGEST, IMAGE_ID, INSIDE, pushCommand } from './commands.ts';
import { configuration, credentials } from './configuration.ts';
import { failureOf } from './failure.ts';
import { BuildProgress } from './progress.ts';
import { Stores } from './stores.ts';

export interface BuildahSettings {
  /** intermediate results, a folder for each project */
  storesDir: string;
  /** what `RUN --mount=type=cache` keeps from one build to the next, a folder for each project */
  cachesDir: string;
  /** the cgroup above those of all builds */
  cgroupParent: string;
  /** which system calls an image's commands may make, as when it is run */
  seccomp: Seccomp;
}

/**
 * Debian's buildah, which is no boundary itself: it runs in a sandbox, with its project's store and
 * a way to the registry. What it builds with may only pull; what is built is pushed by another one.
 */
export class Buildah implements Builder {
  readonly #settings: BuildahSettings;
  readonly #passages: RegistryPassages;
  readonly #stores = new Stores();

  private constructor(settings: BuildahSettings, passages: RegistryPassages) {
    this.#settings = settings;
    this.#passages = passages;
  }

  /** What an earlier process had under way has ended with it. */
  static async begin(settings: BuildahSettings, passages: RegistryPassages): Promise<Buildah> {
    await removeCgroup(settings.cgroupParent);
    return new Buildah(settings, passages);
  }

  build(
    work: BuildWork,
    sink: ProgressSink,
    pushToken: () => Promise<string>,
    signal: AbortSignal,
  ): Promise<string> {
    const tidy = () => this.#tidy(work, signal);
    return this.#stores.use(work.order.projectId, tidy, async () => {
      const imageId = await this.#build(work, new BuildProgress(work.steps, sink), signal);
      return this.#push(work, imageId, await pushToken(), signal);
    });
  }

  async #build(work: BuildWork, progress: BuildProgress, signal: AbortSignal): Promise<string> {
    const { secrets, token } = work.order;
    const given = Object.entries(secrets).map(([id, value]) => [INSIDE.secret(id), value]);
    const code = await this.#run(work, buildCommand(work.order), {
      ...{ name: 'build', token, onLine: (line) => progress.onLine(line), signal },
      files: { [INSIDE.ignoreFile]: '', ...Object.fromEntries(given) },
      mounts: [{ from: work.context, to: INSIDE.context, isWritable: false }],
    });
    progress.end(code === 0 ? 'succeeded' : 'failed');
    if (code !== 0) throw failureOf(progress, code);
    return resultOf(work, 'build', IMAGE_ID);
  }

  async #push(
    work: BuildWork,
    imageId: string,
    token: string,
    signal: AbortSignal,
  ): Promise<string> {
    const command = pushCommand(imageId, work.order, this.#passages.registry);
    const said: string[] = [];
    const onLine = (line: string) => said.push(line);
    const code = await this.#run(work, command, { name: 'push', token, onLine, signal });
    if (code !== 0) throw new Error(`the image cannot be pushed: ${said.slice(-3).join(' | ')}`);
    return resultOf(work, 'push', DIGEST);
  }

  /** Removes what killed builds of the project have left. Only while none is under way. */
  async #tidy(work: BuildWork, signal: AbortSignal): Promise<void> {
    const { token } = work.order;
    await this.#run(work, ['buildah', 'rm', '--all'], {
      name: 'tidy',
      token,
      onLine: () => {},
      signal,
    });
  }

  /** @returns its exit code: of the command that failed, 125 for its own troubles */
  #run(
    { order, folder, dockerfile }: BuildWork,
    command: string[],
    how: {
      name: string;
      token: string;
      files?: Readonly<Record<string, string>>;
      mounts?: SandboxMount[];
      onLine(line: string): void;
      signal: AbortSignal;
    },
  ): Promise<number> {
    const { storesDir, cachesDir, cgroupParent, seccomp } = this.#settings;
    const { registry, hosts } = this.#passages;
    const ofProject = (dir: string): string => {
      const folder = join(dir, order.projectId);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return folder;
    };
    const sandbox = {
      folder: sandboxOf(folder, how.name),
      cgroup: join(cgroupParent, `${order.id}-${order.attempt}`),
      files: {
        ...configuration(registry, order),
        ...{ '/etc/hosts': hosts, [INSIDE.authFile]: credentials(registry, how.token) },
        ...{ [INSIDE.dockerfile]: dockerfile, [INSIDE.seccomp]: JSON.stringify(seccomp) },
        ...how.files,
      },
      mounts: [
        { from: ofProject(storesDir), to: INSIDE.store, isWritable: true },
        { from: ofProject(cachesDir), to: INSIDE.caches, isWritable: true },
        ...(how.mounts ?? []),
      ],
      command,
    };
    return this.#passages.use((namespace) => {
      return runInSandbox({ ...sandbox, namespace }, how.onLine, how.signal);
    });
  }
}

function sandboxOf(folder: string, name: string): string {
  return join(folder, name);
}

/** What it wrote into a file of its own: a digest, unless somebody else could write there. */
async function resultOf({ folder }: BuildWork, name: string, file: string): Promise<string> {
  const path = join(sandboxOf(folder, name), 'tmp', file);
  const flag = constants.O_RDONLY | constants.O_NOFOLLOW;
  const digest = (await readFile(path, { encoding: 'utf8', flag })).trim();
  if (!isDigest(digest)) throw new Error(`${path} has no digest`);
  return digest;
}
