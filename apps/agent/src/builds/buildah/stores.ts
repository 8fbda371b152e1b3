import pLimit, { type LimitFunction } from 'p-limit';

interface Store {
  users: number;
  isTidy: boolean;
  turn: LimitFunction;
}

/** The builders' stores, one a project, which killed builds leave untidy. */
export class Stores {
  readonly #stores = new Map<string, Store>();

  /** @param tidy is done before `work` when it is needed, and only while nobody else works in the store */
  async use<T>(projectId: string, tidy: () => Promise<void>, work: () => Promise<T>): Promise<T> {
    const store = this.#stores.get(projectId) ?? { users: 0, isTidy: false, turn: pLimit(1) };
    this.#stores.set(projectId, store);
    await store.turn(async () => {
      if (!store.isTidy && store.users === 0) {
        await tidy();
        store.isTidy = true;
      }
      store.users++;
    });
    try {
      return await work();
    } catch (error) {
      store.isTidy = false;
      throw error;
    } finally {
      store.users--;
    }
  }
}
