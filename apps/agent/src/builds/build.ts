import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildEnd, BuildOrder } from '@slipway/contracts';
import type { Builder, ProgressSink } from './builder.ts';
import { readDockerfile, unpackContext } from './context/context.ts';
import type { ContextSource } from './context/context-source.ts';
import { removeIgnored } from './context/ignored-files.ts';
import { stepsOf } from './dockerfile/dockerfile.ts';
import { removeFolder } from './remove-folder.ts';

/** What a build works with. */
export interface BuildTools {
  builder: Builder;
  contexts: ContextSource;
  /** where builds have their own files while they are under way */
  workDir: string;
}

/**
 * From a context in the blob store to an image in the registry.
 * @param pushToken as for `Builder.build`
 * @throws BuildFailure when it cannot succeed; the signal's reason
 */
export async function build(
  order: BuildOrder,
  { builder, contexts, workDir }: BuildTools,
  sink: ProgressSink,
  pushToken: () => Promise<string>,
  signal: AbortSignal,
): Promise<BuildEnd> {
  const folder = join(workDir, `${order.id}-${order.attempt}`);
  const context = join(folder, 'context');
  await removeFolder(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    await unpackContext(await contexts.open(order, signal), context);
    const dockerfile = await readDockerfile(context, order.dockerfile);
    const steps = stepsOf(dockerfile, order);
    await removeIgnored(context, order.dockerfile);
    const work = { order, folder, context, dockerfile, steps };
    const digest = await builder.build(work, sink, pushToken, signal);
    sink.write(null, `pushed ${order.repository}:${order.tag}, ${digest}`);
    return { state: 'succeeded', digest };
  } finally {
    await removeFolder(folder);
  }
}
