import { BuildFailure } from '../build-failure.ts';
import type { BuildProgress } from './progress.ts';

/** The registry is away, or its store is. */
const OF_THE_REGISTRY = /connection refused|connection reset|\bEOF\b|status code 5\d\d/i;

/** In words that name the Dockerfile's line; what may go better next time is no `BuildFailure`. */
export function failureOf({ current, error }: BuildProgress, code: number): Error {
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
  return new BuildFailure('instruction-failed', `${at}: ${why}`);
}
