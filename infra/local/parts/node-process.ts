import type { Part } from './part.ts';

/** What the parts have in common that are programs of ours. @param file the bundle */
export function nodeProcess(
  file: string,
  env: Readonly<Record<string, string>>,
): Omit<Part, 'name' | 'needs' | 'check'> {
  return {
    stopSignal: 'SIGTERM',
    stopGraceMs: 30_000,
    async prepare() {},
    argv: () => [process.execPath, file],
    env: () => env,
  };
}
