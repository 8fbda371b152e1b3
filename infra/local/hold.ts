import { createServer } from 'node:net';
import type { Instance } from './instance.ts';

/** As long as it lasts, no other process starts, stops or clears this instance. It ends with its process, however that ends. */
export interface Hold {
  release(): Promise<void>;
}

/**
 * An abstract Unix socket: the kernel lets one process have the name and frees it with that process,
 * so there is nothing to be stale.
 * @returns null when another process has it
 */
export function takeHold({ id }: Pick<Instance, 'id'>): Promise<Hold | null> {
  const server = createServer((connection) => connection.destroy());
  return new Promise((done, fail) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? done(null) : fail(error),
    );
    server.listen(`\0slipway-${id}`, () => {
      server.unref();
      done({ release: () => new Promise((closed) => server.close(() => closed())) });
    });
  });
}
