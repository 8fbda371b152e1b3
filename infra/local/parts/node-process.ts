import type { Part } from './part.ts';

/**
 * glibc gives a freed block back to the kernel at once only when it has a mapping of its own, as blocks from
 * this size on have (here: the chunks of Node's streams). The others stay with the process once a
 * lasting block lies above them: 250 MiB, after a first start.
 * @see docs/decisions/0018-freed-memory-goes-back.md
 */
export const ALLOCATOR = { MALLOC_MMAP_THRESHOLD_: '65536' };

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
    env: () => ({ ...ALLOCATOR, ...env }),
  };
}
