import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from '../env.ts';
import type { Instance } from '../instance.ts';
import { withMachineLock } from '../machine-lock.ts';
import type { Progress } from '../progress.ts';
import * as apt from './apt.ts';
import { findTool, PLATFORM_TOOLS, searchPath, TOOLS, type ToolName } from './tools.ts';

/** Where everything that the platform runs was found. */
export interface Toolbox {
  /** a PATH on which all of it is */
  path: string;
  /** where packages were unpacked */
  root: string;
  /** @throws Error when it is not there */
  fileOf(name: ToolName): string;
  has(name: ToolName): boolean;
}

/**
 * Finds the tools that are needed and installs what is missing.
 * @throws Error that says in a sentence what a person can do
 */
export async function providePackages(
  instance: Instance,
  env: Env,
  progress: Progress,
  needed: readonly ToolName[] = PLATFORM_TOOLS,
): Promise<Toolbox> {
  const root = rootOf(instance, env);
  const missing = () => needed.filter((name) => findTool(TOOLS[name], env.PATH, root) === null);
  if (missing().length > 0) {
    const names = [...new Set(missing().map((name) => TOOLS[name].package))].join(', ');
    if (!apt.hasApt()) {
      throw new Error(
        `This machine has no apt-get: please install ${names} with its own package manager, then try again.`,
      );
    }
    // Another instance may be about it, and its end frees the machine's services.
    await progress.step(`installed ${names}`, () =>
      withMachineLock(() => provide(missing(), root)),
    );
  } else if (apt.holdsServices()) {
    await withMachineLock(async () => apt.releaseServices()); // a killed start did not
  }
  return toolbox(env, root);
}

/** What is there already; nothing is installed. */
export function knownTools(instance: Instance, env: Env): Toolbox {
  return toolbox(env, rootOf(instance, env));
}

function rootOf({ stateDir }: Instance, env: Env): string {
  return env.PACKAGES_DIR ?? join(stateDir, 'packages');
}

function toolbox(env: Env, root: string): Toolbox {
  return {
    path: searchPath(env.PATH, root),
    root,
    has: (name) => findTool(TOOLS[name], env.PATH, root) !== null,
    fileOf(name) {
      const file = findTool(TOOLS[name], env.PATH, root);
      if (file !== null) return file;
      throw new Error(`No ${name} is on this machine: please install ${TOOLS[name].package}.`);
    },
  };
}

async function provide(missing: readonly ToolName[], root: string): Promise<void> {
  if (missing.length === 0) return;
  mkdirSync(root, { recursive: true });
  try {
    await provideOnce(missing, root);
  } catch {
    // the package lists are absent, or older than the mirror
    await apt.update();
    await provideOnce(missing, root);
  }
}

async function provideOnce(missing: readonly ToolName[], root: string): Promise<void> {
  const toInstall = new Set<string>();
  const toUnpack: string[] = [];
  for (const name of missing) {
    const tool = TOOLS[name];
    const candidate = await apt.candidateOf(tool.package);
    if (candidate === null) {
      throw new Error(`apt knows no ${tool.package}: add a repository that has it, or install it.`);
    }
    if (tool.how === 'install') {
      toInstall.add(candidate);
      continue;
    }
    toUnpack.push(candidate);
    for (const library of await apt.librariesOf(candidate)) toInstall.add(library);
  }
  for (const name of toUnpack) await apt.unpack(name, root);
  const absent = await apt.notInstalled([...toInstall]);
  if (absent.length > 0) await apt.install(absent);
}
