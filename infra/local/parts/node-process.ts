import type { Part } from './part.ts';

/**
 * glibc gives a freed block back to the kernel at once only when it has a mapping of its own, as blocks from
 * this size on have; left alone it raises the size by itself. The chunks of Node's streams are smaller.
 * @see docs/decisions/0018-freed-memory-goes-back.md
 */
export const ALLOCATOR = { MALLOC_MMAP_THRESHOLD_: '131072' };

/** For who moves large files once and then rests: the chunks of Node's streams have mappings, too. */
export const RESTING_ALLOCATOR = { MALLOC_MMAP_THRESHOLD_: '65536' };

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
