/** What a command of the network takes is a few milliseconds. */
export const WITHIN = { timeoutMs: 30_000 };
