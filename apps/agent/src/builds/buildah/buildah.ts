import { constants, mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDigest } from '@slipway/oci';
import type { Seccomp } from '../../containers/seccomp.ts';
import type { Builder, BuildWork, ProgressSink } from '../builder.ts';
import { removeCgroup } from '../sandbox/cgroup.ts';
import type { RegistryPassage } from '../sandbox/registry-passage.ts';
import { runInSandbox } from '../sandbox/sandbox.ts';
import { configuration, credentials } from './configuration.ts';
import { failureOf } from './failure.ts';
import { BuildProgress } from './progress.ts';
import { Stores } from './stores.ts';

export interface BuildahSettings {
  /** intermediate results, a folder for each project */
  storesDir: string;
  /** the cgroup above those of all builds */
  cgroupParent: string;
  /** which system calls an image's commands may make, as when it is run */
  seccomp: Seccomp;
}

/** What buildah finds in its sandbox. */
const CONTEXT = '/context';
const DOCKERFILE = '/Dockerfile';
const AUTH_FILE = '/auth.json';
const SECCOMP = '/seccomp.json';
const IMAGE_ID = 'image-id';
const DIGEST = 'digest';

/**
 * Debian's buildah, which is no boundary itself: it runs in a sandbox, with its project's store and
 * a way to the registry. What it builds with may only pull; what is built is pushed by another one.
 */
export class Buildah implements Builder {
  readonly #settings: BuildahSettings;
  readonly #passage: RegistryPassage;
  readonly #stores = new Stores();

  private constructor(settings: BuildahSettings, passage: RegistryPassage) {
    this.#settings = settings;
    this.#passage = passage;
  }

  /** What an earlier process had under way has ended with it. */
  static async begin(settings: BuildahSettings, passage: RegistryPassage): Promise<Buildah> {
    await removeCgroup(settings.cgroupParent);
    return new Buildah(settings, passage);
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
    const { args, target, token } = work.order;
    const command = [
      ...['build', '--isolation', 'oci', '--runtime', 'runc', '--network', 'none'],
      ...['--layers', '--force-rm', '--format', 'oci', '--iidfile', `/var/tmp/${IMAGE_ID}`],
      // below the sandbox's own, whose limits are for both
      ...['--cgroup-parent', '/run', '--security-opt', `seccomp=${SECCOMP}`],
      ...['--authfile', AUTH_FILE, '--file', DOCKERFILE],
      ...(target === null ? [] : ['--target', target]),
      ...Object.entries(args).map(([name, value]) => `--build-arg=${name}=${value}`),
      CONTEXT,
    ];
    const code = await this.#run(work, command, {
      ...{ name: 'build', token, mounts: [{ from: work.context, to: CONTEXT, isWritable: false }] },
      onLine: (line) => progress.onLine(line),
      signal,
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
    const { repository, tag } = work.order;
    const { host, protocol } = this.#passage.registry;
    const command = [
      ...['push', `--tls-verify=${protocol !== 'http:'}`, '--authfile', AUTH_FILE],
      ...['--digestfile', `/var/tmp/${DIGEST}`],
      ...[imageId, `docker://${host}/${repository}:${tag}`],
    ];
    const said: string[] = [];
    const onLine = (line: string) => said.push(line);
    const code = await this.#run(work, command, { name: 'push', token, onLine, signal });
    if (code !== 0) throw new Error(`the image cannot be pushed: ${said.slice(-3).join(' | ')}`);
    return resultOf(work, 'push', DIGEST);
  }

  /** Removes what killed builds of the project have left. Only while none is under way. */
  async #tidy(work: BuildWork, signal: AbortSignal): Promise<void> {
    const { token } = work.order;
    await this.#run(work, ['rm', '--all'], { name: 'tidy', token, onLine: () => {}, signal });
  }

  /** @returns its exit code: of the command that failed, 125 for its own troubles */
  #run(
    { order, folder, dockerfile }: BuildWork,
    command: string[],
    how: {
      name: string;
      token: string;
      mounts?: { from: string; to: string; isWritable: boolean }[];
      onLine(line: string): void;
      signal: AbortSignal;
    },
  ): Promise<number> {
    const { storesDir, cgroupParent, seccomp } = this.#settings;
    const { registry, namespace, hosts } = this.#passage;
    const store = join(storesDir, order.projectId);
    mkdirSync(store, { recursive: true, mode: 0o700 });
    return runInSandbox(
      {
        folder: sandboxOf(folder, how.name),
        cgroup: join(cgroupParent, `${order.id}-${order.attempt}`),
        namespace,
        files: {
          ...configuration(registry, order),
          ...{ '/etc/hosts': hosts, [AUTH_FILE]: credentials(registry, how.token) },
          ...{ [DOCKERFILE]: dockerfile, [SECCOMP]: JSON.stringify(seccomp) },
        },
        mounts: [
          { from: store, to: '/var/lib/containers', isWritable: true },
          ...(how.mounts ?? []),
        ],
        command: ['buildah', ...command],
      },
      how.onLine,
      how.signal,
    );
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
