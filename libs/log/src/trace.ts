import { AsyncLocalStorage } from 'node:async_hooks';

const current = new AsyncLocalStorage<string>();

/**
 * Does `work` for a request: each line that is logged on the way has its `requestId`, and so has each
 * call to another of our processes. @param requestId as `X-Request-Id` has it
 */
export function traced<T>(requestId: string, work: () => T): T {
  return current.run(requestId, work);
}

/** Of the request that is worked for; null: for none. */
export function currentRequestId(): string | null {
  return current.getStore() ?? null;
}
