import { readFileSync } from 'node:fs';
import { exec } from '@slipway/process';

/**
 * Takes down what is mounted below `folder`, the last mounted first.
 * @throws when something stays: what is below must not be deleted then, since a bind mount leads out
 */
export async function unmountBelow(folder: string): Promise<number> {
  const before = mountsBelow(folder);
  for (const path of before.toReversed()) {
    const done = await exec('umount', [path], { allowFailure: true });
    if (done.code !== 0) await exec('umount', ['--lazy', path], { allowFailure: true });
  }
  const [left] = mountsBelow(folder);
  if (left !== undefined) throw new Error(`${left} cannot be unmounted`);
  return before.length;
}

function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => decoded(line.split(' ')[1] ?? ''))
    .filter((path) => path.startsWith(`${folder}/`));
}

/** The kernel writes blanks in paths as octal numbers. */
function decoded(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}
