import { Redis } from 'ioredis';

export type { Redis };

/**
 * @param url `redis://…`, or the path of a Unix socket
 * @param options a producer fails at once while Redis is away, a worker waits for it
 */
export function connect(
  url: string,
  options: { maxRetriesPerRequest: number | null; enableOfflineQueue?: boolean },
): Redis {
  const connection = new Redis(url, {
    retryStrategy: (times) => Math.min(times * 50, 1000),
    ...options,
  });
  connection.on('error', () => {}); // it reconnects, and commands fail on their own
  return connection;
}
