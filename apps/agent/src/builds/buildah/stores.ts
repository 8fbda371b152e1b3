import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pLimit, { type LimitFunction } from 'p-limit';
import { removeFolder } from '../remove-folder.ts';
import { bytesBelow } from './disk.ts';

/** What one may take of the disk when nobody uses it; it is emptied when it takes more. */
const MAX_BYTES = { images: 20 * 1024 ** 3, caches: 5 * 1024 ** 3 };

/** Folders of a project's that its builds share. */
export interface Store {
  projectId: string;
  /** buildah's images and working containers */
  images: string;
  /** what `RUN --mount=type=cache` keeps */
  caches: string;
}

interface Use {
  store: Store;
  users: number;
  isTidy: boolean;
  turn: LimitFunction;
}

/** The stores of all projects. There is nothing in them that could not be made again. */
export class Stores {
  readonly #folder: string;
  readonly #tidy: (store: Store) => Promise<void>;
  readonly #onFailure: (error: unknown) => void;
  readonly #maxBytes: typeof MAX_BYTES;
  readonly #uses = new Map<string, Use>();

  /**
   * @param tidy removes what killed builds have left in one; nobody works there meanwhile
   * @param onFailure gets what went wrong when nobody waited for it: it is tried again with the next build
   */
  constructor(
    folder: string,
    tidy: (store: Store) => Promise<void>,
    onFailure: (error: unknown) => void,
    maxBytes = MAX_BYTES,
  ) {
    this.#folder = folder;
    this.#tidy = tidy;
    this.#onFailure = onFailure;
    this.#maxBytes = maxBytes;
    const images = join(folder, 'stores');
    const known = existsSync(images) ? readdirSync(images) : [];
    for (const projectId of known.filter((id) => hasContainers(join(images, id)))) {
      this.#rest(this.#useOf(projectId));
    }
  }

  async use<T>(projectId: string, work: (store: Store) => Promise<T>): Promise<T> {
    const use = this.#useOf(projectId);
    await use.turn(async () => {
      if (use.users === 0) await this.#makeTidy(use);
      use.users++;
    });
    try {
      return await work(use.store);
    } catch (error) {
      use.isTidy = false;
      throw error;
    } finally {
      use.users--;
      this.#rest(use);
    }
  }

  /** When nobody uses any. */
  async close(): Promise<void> {
    await Promise.all([...this.#uses.values()].map(({ turn }) => turn(() => {})));
  }

  #useOf(projectId: string): Use {
    const known = this.#uses.get(projectId);
    if (known !== undefined) return known;
    const folderOf = (kind: string): string => join(this.#folder, kind, projectId);
    const store = { projectId, images: folderOf('stores'), caches: folderOf('caches') };
    const use = { store, users: 0, isTidy: false, turn: pLimit(1) };
    this.#uses.set(projectId, use);
    return use;
  }

  async #makeTidy(use: Use): Promise<void> {
    const { images, caches } = use.store;
    if (!use.isTidy && hasContainers(images)) {
      await this.#tidy(use.store);
      // what was killed as it began is a container of nobody's
      if (hasContainers(images)) await removeFolder(images);
    }
    use.isTidy = true;
    for (const folder of [images, caches]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** What can be done as well when it is not used: nobody waits for it. */
  #rest(use: Use): void {
    const { images, caches } = use.store;
    const work = async (): Promise<void> => {
      if (use.users > 0) return;
      await this.#makeTidy(use);
      if ((await bytesBelow([images])) > this.#maxBytes.images) await removeFolder(images);
      if ((await bytesBelow([caches])) > this.#maxBytes.caches) await removeFolder(caches);
    };
    use.turn(work).catch((error: unknown) => this.#onFailure(error));
  }
}

/** Working containers: of builds that go on, or were killed. @see containers/storage, `containers.json` */
function hasContainers(images: string): boolean {
  try {
    const file = join(images, 'storage/overlay-containers/containers.json');
    return readFileSync(file, 'utf8').trim() !== '[]';
  } catch {
    return false;
  }
}
