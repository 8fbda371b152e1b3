/**
 * As `Promise.all`, but when one fails the others are over too by the time this rejects: nothing goes
 * on behind the caller's back. @throws of those that failed the first in the list
 */
export async function allOver<T extends readonly unknown[]>(
  all: {
    [Index in keyof T]: Promise<T[Index]>;
  },
): Promise<T> {
  await Promise.allSettled(all);
  return Promise.all(all) as unknown as Promise<T>;
}
