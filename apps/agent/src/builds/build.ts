import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildEnd, BuildOrder } from '@slipway/contracts';
import { BuildFailure } from './build-failure.ts';
import { Buildah, type BuildahSettings, type WorkFolder } from './buildah.ts';
import { readDockerfile, unpackContext } from './context.ts';
import type { ContextSource } from './context-source.ts';
import { stepsOf } from './dockerfile.ts';
import { BuildProgress, type ProgressSink } from './progress.ts';
import type { Stores } from './stores.ts';

/** What a build works with. */
export interface BuildTools {
  settings: BuildahSettings;
  contexts: ContextSource;
  /** where builds have their own files while they are under way */
  workDir: string;
  stores: Stores;
}

/** The registry is away, or its store is. */
const OF_THE_REGISTRY = /connection refused|connection reset|unexpected EOF|status code 5\d\d/i;

/**
 * From a context in the blob store to an image in the registry.
 * @throws BuildFailure when it cannot succeed; the signal's reason
 */
export async function build(
  order: BuildOrder,
  { settings, contexts, workDir, stores }: BuildTools,
  sink: ProgressSink,
  signal: AbortSignal,
): Promise<BuildEnd> {
  const work = workFolder(workDir, order);
  await rm(work.path, { recursive: true, force: true });
  await mkdir(work.path, { recursive: true, mode: 0o700 });
  try {
    await unpackContext(await contexts.open(order, signal), work.context);
    const dockerfile = await readDockerfile(work.context, order.dockerfile);
    await writeFile(work.dockerfile, dockerfile);
    const progress = new BuildProgress(stepsOf(dockerfile, order), sink);
    const buildah = new Buildah(settings, order, work);
    const tidy = () => buildah.tidy(signal);
    const digest = await stores.use(order.projectId, tidy, async () => {
      const code = await buildah.build((line) => progress.onLine(line), signal);
      progress.end(code === 0 ? 'succeeded' : 'failed');
      if (code !== 0) throw failureOf(progress, code, work);
      return push(buildah, signal);
    });
    sink.write(null, `pushed ${order.repository}:${order.tag}, ${digest}`);
    return { state: 'succeeded', digest };
  } finally {
    await rm(work.path, { recursive: true, force: true });
  }
}

async function push(buildah: Buildah, signal: AbortSignal): Promise<string> {
  const said: string[] = [];
  const digest = await buildah.push((line) => said.push(line), signal);
  if (digest === null) throw new Error(`the image cannot be pushed: ${said.slice(-3).join(' | ')}`);
  return digest;
}

/** In words that name the Dockerfile's line; what may go better next time is no `BuildFailure`. */
function failureOf({ current, error }: BuildProgress, code: number, work: WorkFolder): Error {
  const why = error.replace(/^building at STEP ".*?": (?=[a-z])/s, '');
  if (current === null) return new Error(`buildah ended with ${code}: ${error}`);
  const { keyword, line, instruction } = current;
  const at = `line ${line}: ${instruction}`;
  if (keyword === 'RUN' && /while running runtime: exit status \d+$/.test(error)) {
    return new BuildFailure('command-failed', `${at}: it ended with exit code ${code}.`);
  }
  if (OF_THE_REGISTRY.test(why)) return new Error(`buildah ended with ${code}: ${error}`);
  if (/name unknown|manifest unknown|no stage or image found/i.test(why)) {
    const where = 'neither in this project’s registry nor among the base images';
    return new BuildFailure('base-image-not-found', `${at}: there is no such image, ${where}.`);
  }
  const missing = /copier: stat: "([^"]*)": no such file or directory/.exec(why)?.[1];
  if (missing !== undefined) {
    return new BuildFailure('instruction-failed', `${at}: there is no "${missing}" to be copied.`);
  }
  const words = why.replaceAll(work.context, 'the context');
  return new BuildFailure('instruction-failed', `${at}: ${words}`);
}

function workFolder(workDir: string, { id, attempt }: BuildOrder): WorkFolder {
  const path = join(workDir, `${id}-${attempt}`);
  return { path, context: join(path, 'context'), dockerfile: join(path, 'Dockerfile') };
}
