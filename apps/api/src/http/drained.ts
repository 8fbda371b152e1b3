import type { Server } from './server.ts';

/** How long a stop waits for requests under way. */
const DRAIN_MS = 5_000;

/** Lets requests end, at most for `DRAIN_MS`; connections without one are not waited for. */
export async function drained(
  { fastify, traffic }: Server,
  close: () => PromiseLike<unknown>,
): Promise<void> {
  const deadlineMs = Date.now() + DRAIN_MS;
  const timer = setInterval(() => {
    if (traffic.inFlight() === 0) fastify.server.closeAllConnections();
    if (Date.now() > deadlineMs) traffic.cutAll();
  }, 50);
  try {
    await close();
  } finally {
    clearInterval(timer);
  }
}
