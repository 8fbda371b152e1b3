import { Inject, Injectable } from '@nestjs/common';
import type { Notifications } from '@slipway/db';
import type { ProjectScope } from '../access/project-scope.store.ts';
import { NOTIFICATIONS } from '../platform.module.ts';
import { type ContainerRow, ContainerStore } from './container.store.ts';

/** Waits for what becomes of containers: PostgreSQL tells of each change, so nobody polls. */
@Injectable()
export class ContainerWaiter {
  constructor(
    @Inject(ContainerStore) private readonly containers: ContainerStore,
    @Inject(NOTIFICATIONS) private readonly notifications: Notifications,
  ) {}

  /** @returns it when `isDone` says so, and as it is when `signal` is aborted; null when there is none */
  async until(
    scope: ProjectScope,
    reference: string,
    isDone: (row: ContainerRow) => boolean,
    signal: AbortSignal,
  ): Promise<ContainerRow | null> {
    let row = await this.containers.find(scope, reference);
    if (row === null) return null;
    const { id } = row; // its name may be another's soon
    let wake = Promise.withResolvers<void>();
    const stop = this.notifications.on('containers', (changed) => {
      if (changed === null || changed === id) wake.resolve();
    });
    const onAbort = (): void => wake.resolve();
    signal.addEventListener('abort', onAbort);
    try {
      for (;;) {
        // after the beginning to listen: what changes from here on is told
        row = await this.containers.find(scope, id);
        if (row === null || isDone(row) || signal.aborted) return row;
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    } finally {
      stop();
      signal.removeEventListener('abort', onAbort);
    }
  }
}
