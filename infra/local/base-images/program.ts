import { realpathSync } from 'node:fs';
import { exec } from '@slipway/process';
import { type Env, inheritedEnv } from '../env.ts';
import type { Entry } from './layer.ts';

/** A program of this machine with the libraries that it loads, each where the program looks for it. */
export async function programWithLibraries(env: Env, from: string, path: string): Promise<Entry[]> {
  const program: Entry = { type: 'file', path, from: realpathSync(from), mode: 0o755 };
  const listed = await exec('ldd', [from], { env: inheritedEnv(env), allowFailure: true });
  if (listed.code !== 0) return [program]; // static
  const libraries = listed.stdout
    .split('\n')
    // `libm.so.6 => /lib/…/libm.so.6 (0x…)`, and the loader `/lib64/ld-linux… (0x…)`
    .flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? [])
    .map(
      (library): Entry => ({
        type: 'file',
        path: library.slice(1),
        from: realpathSync(library),
        mode: 0o755,
      }),
    );
  return [program, ...libraries];
}
