import type { Dirent } from 'node:fs';
import { readdir, rm, rmdir, unlink } from 'node:fs/promises';
import { setImmediate as otherWork } from 'node:timers/promises';
import { BuildFailure } from '../build-failure.ts';
import { readFromContext } from './context.ts';
import { IgnoreRules, type Place } from './ignore-rules.ts';

const MAX_KIB = 64;
const WORK_AT_ONCE = 200_000;
const REMOVALS_AT_ONCE = 64;
const SEPARATOR = Buffer.from('/');

/**
 * Removes from an unpacked context what its ignore file says: the Dockerfile's own one, else that of
 * the context. Both and the Dockerfile may be ignored too. No link is followed.
 * @param dockerfile its path in the context
 * @throws BuildFailure `context-unusable`
 */
export async function removeIgnored(context: string, dockerfile: string): Promise<void> {
  const rules = await rulesOf(context, [`${dockerfile}.dockerignore`, '.dockerignore']);
  if (rules === null) return;
  try {
    await new Sweep(rules).sweep(Buffer.from(context), rules.root);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENAMETOOLONG') throw error;
    const message = 'The context has a path that is too long.';
    throw new BuildFailure('context-unusable', message, { cause: error });
  }
}

/** Of the first file that there is. */
async function rulesOf(context: string, names: readonly string[]): Promise<IgnoreRules | null> {
  for (const name of names) {
    const found = await readFromContext(context, name, MAX_KIB);
    if ('text' in found) return new IgnoreRules(found.text, name);
    if (found.lack === '') continue;
    throw new BuildFailure('context-unusable', `The context has no "${name}"${found.lack}.`);
  }
  return null;
}

class Sweep {
  readonly #rules: IgnoreRules;
  #workBefore = 0;

  constructor(rules: IgnoreRules) {
    this.#rules = rules;
  }

  /**
   * Paths are bytes, since names need not be UTF-8.
   * @returns whether anything is left in the folder
   */
  async sweep(folder: Buffer, place: Place): Promise<boolean> {
    let isAnythingLeft = false;
    const ignored: [Buffer, Dirent<Buffer>][] = [];
    for (const entry of await readdir(folder, { withFileTypes: true, encoding: 'buffer' })) {
      const path = Buffer.concat([folder, SEPARATOR, entry.name]);
      const found = this.#rules.below(place, entry.name.toString());
      await this.#pause();
      if (entry.isDirectory() && this.#rules.mayDiffer(found)) {
        const isKept = (await this.sweep(path, found)) || !found.isIgnored;
        if (isKept) isAnythingLeft = true;
        else await rmdir(path);
      } else if (found.isIgnored) {
        ignored.push([path, entry]);
      } else {
        isAnythingLeft = true;
      }
    }
    while (ignored.length > 0) {
      const some = ignored.splice(-REMOVALS_AT_ONCE);
      await Promise.all(some.map(([path, entry]) => remove(path, entry)));
    }
    return isAnythingLeft;
  }

  /** A node has more to do than to match a tenant's patterns. */
  async #pause(): Promise<void> {
    if (this.#rules.work - this.#workBefore < WORK_AT_ONCE) return;
    this.#workBefore = this.#rules.work;
    await otherWork();
  }
}

function remove(path: Buffer, entry: Dirent<Buffer>): Promise<void> {
  return entry.isDirectory() ? rm(path, { recursive: true }) : unlink(path);
}
