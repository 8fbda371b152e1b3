import type { BuildOrder, BuildStep } from '@slipway/contracts';
import type { DockerfileStep } from './dockerfile/dockerfile.ts';

/** What there is to build. */
export interface BuildWork {
  order: BuildOrder;
  /** where the builder has its own files; they go with the build */
  folder: string;
  /** the folder of the unpacked context */
  context: string;
  /** text of the Dockerfile: what was checked is what is built */
  dockerfile: string;
  /** what was found in it */
  steps: readonly DockerfileStep[];
}

/** Where a build's progress goes to. */
export interface ProgressSink {
  steps(steps: BuildStep[]): void;
  /** @param step the number of the one that wrote it; null: the builder did */
  write(step: number | null, line: string): void;
}

/** Makes images. What it runs for a tenant reaches nothing of the node's, nor of other projects. */
export interface Builder {
  /**
   * From a context to an image in the registry.
   * @param pushToken gets what lets one push to where the order says; asked for when all else is done
   * @returns the manifest's digest
   * @throws BuildFailure when it cannot succeed; the signal's reason
   */
  build(
    work: BuildWork,
    sink: ProgressSink,
    pushToken: () => Promise<string>,
    signal: AbortSignal,
  ): Promise<string>;

  /** When nothing is being built. */
  close(): Promise<void>;
}
