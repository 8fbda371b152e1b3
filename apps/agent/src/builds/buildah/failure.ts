import { BuildFailure } from '../build-failure.ts';
import type { SandboxEnd } from '../sandbox/sandbox.ts';
import { MEMORY_BYTES } from '../sandbox/sandbox-spec.ts';
import type { BuildProgress } from './progress.ts';

/** The registry is away, or its store is, or the node's disk is full. */
const OF_THE_PLATFORM =
  /connection refused|connection reset|\bEOF\b|status code 5\d\d|no space left on device/i;
const GIB = 1024 ** 3;
const KILLED = 137;

/** In words that name the Dockerfile's line; what may go better next time is no `BuildFailure`. */
export function failureOf(
  { current, error, signal }: BuildProgress,
  { code, mayHaveRunOut }: SandboxEnd,
): Error {
  const why = error.replace(/^building at STEP ".*?": (?=[a-z])/s, '');
  const ours = new Error(`buildah ended with ${code}: ${error}`);
  if (current === null) return ours;
  const at = `line ${current.line}: ${current.instruction}`;
  if ((code === KILLED || signal === 'killed') && mayHaveRunOut) {
    const message = `${at}: it was killed, since the build needed more than ${MEMORY_BYTES / GIB} GiB of memory.`;
    return new BuildFailure('oom-killed', message);
  }
  if (current.keyword === 'RUN' && /while running runtime: exit status \d+$/.test(error)) {
    const how =
      signal === null ? `ended with exit code ${code}` : `was ended by a signal: ${signal}`;
    return new BuildFailure('command-failed', `${at}: it ${how}.`);
  }
  if (error === '' || OF_THE_PLATFORM.test(why)) return ours;
  if (/name unknown|manifest unknown|no stage or image found/i.test(why)) {
    const where = 'neither in this project’s registry nor among the base images';
    return new BuildFailure('base-image-not-found', `${at}: there is no such image, ${where}.`);
  }
  const missing = /copier: stat: "([^"]*)": no such file or directory/.exec(why)?.[1];
  if (missing !== undefined) {
    return new BuildFailure('instruction-failed', `${at}: there is no "${missing}" to be copied.`);
  }
  return new BuildFailure('instruction-failed', `${at}: ${why}`);
}

/** It wrote more than `maxBytes`. */
export function diskFailure({ current }: BuildProgress, maxBytes: number): BuildFailure {
  const at = current === null ? '' : `line ${current.line}: ${current.instruction}: `;
  const message = `${at}the build wrote more than ${maxBytes / GIB} GiB, its caches included.`;
  return new BuildFailure('disk-exceeded', message);
}

/** All that a node's own push is denied for is that there is no room for the image. */
export function pushFailureOf(said: readonly string[]): Error {
  const last = said.slice(-3).join(' | ');
  const denial = /\bdenied: (.*)/.exec(last)?.[1];
  return denial === undefined
    ? new Error(`the image cannot be pushed: ${last}`)
    : new BuildFailure('quota-exceeded', denial);
}
