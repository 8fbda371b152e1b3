import { spawn } from 'node:child_process';
import { once } from 'node:events';

const LOCK_FILE = '/run/slipway.lock';

/**
 * Runs `work` while no other instance on this machine is in its own: for what is chosen because it
 * is free. The lock is a child's, which ends when we do.
 */
export async function withMachineLock<T>(work: () => Promise<T>): Promise<T> {
  const holder = spawn('flock', [LOCK_FILE, 'sh', '-c', 'echo locked; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(holder, 'exit');
  try {
    await Promise.race([
      once(holder.stdout, 'data'),
      ended.then(([code]) => {
        throw new Error(`${LOCK_FILE} cannot be locked: flock ended with ${code}`);
      }),
    ]);
    return await work();
  } finally {
    holder.stdin.end();
    await ended.catch(() => {});
  }
}
