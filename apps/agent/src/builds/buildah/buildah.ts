import { constants, existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@slipway/log';
import { isDigest } from '@slipway/oci';
import type { Seccomp } from '../../containers/seccomp.ts';
import type { BuildCgroups, SandboxSubject } from '../build-cgroups.ts';
import type { Builder, BuildWork, ProgressSink } from '../builder.ts';
import { removeFolder } from '../remove-folder.ts';
import type { RegistryPassages } from '../sandbox/registry-passages.ts';
import { runInSandbox, type Sandbox, type SandboxEnd } from '../sandbox/sandbox.ts';
import { buildCommand, DIGEST, IMAGE_ID, INSIDE, pushCommand, TIDY } from './commands.ts';
import { CONFIGURATION, credentials, registries } from './configuration.ts';
import { DiskWatch, TooMuchWritten } from './disk.ts';
import { diskFailure, failureOf, pushFailureOf } from './failure.ts';
import { BuildProgress } from './progress.ts';
import { type Store, Stores } from './stores.ts';

export interface BuildahSettings {
  /** where projects have their stores */
  folder: string;
  /** which system calls an image's commands may make, as when it is run */
  seccomp: Seccomp;
}

/** Of what a build writes, and of its project's caches. */
const MAX_DISK_BYTES = 10 * 1024 ** 3;

/** What differs from one sandbox to the next. */
interface Inside extends Pick<Sandbox, 'folder' | 'command' | 'files' | 'mounts'> {
  /** runs it in a cgroup */
  within<T>(run: (cgroup: string) => Promise<T>): Promise<T>;
}

/**
 * Debian's buildah, which is no boundary itself: it runs in a sandbox, with its project's store and
 * a way to the registry. What it builds with may only pull; what is built is pushed by another one.
 */
export class Buildah implements Builder {
  readonly #settings: BuildahSettings;
  readonly #cgroups: BuildCgroups;
  readonly #passages: RegistryPassages;
  readonly #stores: Stores;

  private constructor(
    settings: BuildahSettings,
    cgroups: BuildCgroups,
    passages: RegistryPassages,
    log: Logger,
  ) {
    this.#settings = settings;
    this.#cgroups = cgroups;
    this.#passages = passages;
    this.#stores = new Stores(
      settings.folder,
      (store) => this.#tidy(store),
      (error) => log.warn({ err: error }, 'a store of builds cannot be made tidy'),
    );
  }

  /** What an earlier process had under way has ended with it. */
  static async begin(
    settings: BuildahSettings,
    cgroups: BuildCgroups,
    passages: RegistryPassages,
    log: Logger,
  ): Promise<Buildah> {
    await removeFolder(join(settings.folder, 'tidy'));
    return new Buildah(settings, cgroups, passages, log);
  }

  build(
    work: BuildWork,
    sink: ProgressSink,
    pushToken: () => Promise<string>,
    signal: AbortSignal,
  ): Promise<string> {
    return this.#stores.use(work.order.projectId, async (store) => {
      const imageId = await this.#build(work, store, new BuildProgress(work.steps, sink), signal);
      return this.#push(work, store, { imageId, token: await pushToken(), signal });
    });
  }

  close(): Promise<void> {
    return this.#stores.close();
  }

  async #build(
    work: BuildWork,
    store: Store,
    progress: BuildProgress,
    signal: AbortSignal,
  ): Promise<string> {
    const { order, context, dockerfile } = work;
    const folder = join(work.folder, 'build');
    const secrets = Object.entries(order.secrets).map(([id, value]) => [INSIDE.secret(id), value]);
    const before = new Set(layersOf(store));
    const written = () => layersOf(store).filter((layer) => !before.has(layer));
    const disk = new DiskWatch(() => [work.folder, store.caches, ...written()], MAX_DISK_BYTES);
    try {
      const end = await this.#run(
        {
          ...{ folder, within: this.#metered(work, 'build'), command: buildCommand(order) },
          files: {
            ...this.#configuration(work, order.token),
            ...{ [INSIDE.dockerfile]: dockerfile, [INSIDE.ignoreFile]: '' },
            ...Object.fromEntries(secrets),
          },
          mounts: [
            { from: context, to: INSIDE.context, isWritable: false },
            { from: store.caches, to: INSIDE.caches, isWritable: true },
          ],
        },
        store,
        (line) => progress.onLine(line),
        AbortSignal.any([signal, disk.exceeded]),
      );
      if (end.code !== 0) throw failureOf(progress, end);
      progress.succeeded();
      return await resultOf(folder, IMAGE_ID);
    } catch (error) {
      throw error instanceof TooMuchWritten ? diskFailure(progress, MAX_DISK_BYTES) : error;
    } finally {
      await disk.close();
    }
  }

  async #push(
    work: BuildWork,
    store: Store,
    { imageId, token, signal }: { imageId: string; token: string; signal: AbortSignal },
  ): Promise<string> {
    const folder = join(work.folder, 'push');
    const command = pushCommand(imageId, work.order, this.#passages.registry);
    const files = this.#configuration(work, token);
    const within = this.#metered(work, 'push');
    const inside = { folder, within, command, files, mounts: [] };
    const said: string[] = [];
    const { code } = await this.#run(inside, store, (line) => said.push(line), signal);
    if (code !== 0) throw pushFailureOf(said);
    return resultOf(folder, DIGEST);
  }

  /** Removes the working containers that buildah knows. */
  async #tidy(store: Store): Promise<void> {
    const folder = join(this.#settings.folder, 'tidy', store.projectId);
    const cgroup = this.#cgroups.unmetered(`tidy-${store.projectId}`);
    const within: Inside['within'] = (run) => run(cgroup);
    const inside = { folder, within, command: TIDY, files: CONFIGURATION, mounts: [] };
    await this.#run(inside, store, () => {}, new AbortController().signal);
    await removeFolder(folder);
  }

  #configuration({ order }: BuildWork, token: string): Record<string, string> {
    const { registry, hosts } = this.#passages;
    return {
      ...CONFIGURATION,
      '/etc/containers/registries.conf': registries(registry, order),
      '/etc/hosts': hosts,
      [INSIDE.authFile]: credentials(registry, token),
      [INSIDE.seccomp]: JSON.stringify(this.#settings.seccomp),
    };
  }

  #metered({ order }: BuildWork, sandbox: SandboxSubject['sandbox']): Inside['within'] {
    const { id: buildId, attempt } = order;
    return (run) => this.#cgroups.metered({ buildId, attempt, sandbox }, run);
  }

  #run(
    { within, ...inside }: Inside,
    store: Store,
    onLine: (line: string) => void,
    signal: AbortSignal,
  ): Promise<SandboxEnd> {
    const images = { from: store.images, to: INSIDE.images, isWritable: true };
    const mounts = [images, ...inside.mounts];
    return this.#passages.use((namespace) =>
      within((cgroup) => {
        return runInSandbox({ ...inside, cgroup, mounts, namespace }, onLine, signal);
      }),
    );
  }
}

/** The folders of all layers, those of working containers too. */
function layersOf({ images }: Store): string[] {
  const overlay = join(images, 'storage/overlay');
  return existsSync(overlay) ? readdirSync(overlay).map((id) => join(overlay, id)) : [];
}

/** What buildah wrote into a file of its own: a digest, unless somebody else could write there. */
async function resultOf(sandbox: string, file: string): Promise<string> {
  const path = join(sandbox, 'tmp', file);
  const flag = constants.O_RDONLY | constants.O_NOFOLLOW;
  const digest = (await readFile(path, { encoding: 'utf8', flag })).trim();
  if (!isDigest(digest)) throw new Error(`${path} has no digest`);
  return digest;
}
