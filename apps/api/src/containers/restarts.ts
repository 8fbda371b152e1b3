import { Inject, Injectable } from '@nestjs/common';
import type { Notifications } from '@slipway/db';
import { type Logger, traced } from '@slipway/log';
import { ScopeStore } from '../access/scope.store.ts';
import { Loop } from '../loop.ts';
import { LOGGER, NOTIFICATIONS } from '../platform.module.ts';
import { ContainerStore, type DueContainer } from './container.store.ts';

const LOOK_EVERY_MS = 15_000;
const AT_A_TIME = 100;

/** Begins the next runs of containers when their restart policies say so. Several replicas may do so side by side. */
@Injectable()
export class Restarts {
  readonly loop: Loop;

  constructor(
    @Inject(ContainerStore) private readonly containers: ContainerStore,
    @Inject(ScopeStore) private readonly scopes: ScopeStore,
    @Inject(NOTIFICATIONS) notifications: Notifications,
    @Inject(LOGGER) private readonly log: Logger,
  ) {
    this.loop = new Loop(notifications, log, {
      ...{ channels: ['restarts'], failure: 'containers cannot be restarted' },
      work: () => this.#run(),
    });
  }

  /** @returns in how many ms the next one is due */
  async #run(): Promise<number> {
    const found = await this.containers.toRestart(AT_A_TIME);
    for (const container of found) {
      const inMs = container.restartAt.getTime() - Date.now();
      if (inMs > 0) return Math.min(inMs, LOOK_EVERY_MS);
      await this.#restart(container);
    }
    return found.length < AT_A_TIME ? LOOK_EVERY_MS : 0;
  }

  async #restart({ id, projectId, generation }: DueContainer): Promise<void> {
    const scope = await this.scopes.ofProject(projectId);
    const requestId = `restart-${id}-${generation + 1}`;
    await traced(requestId, async () => {
      const row = await this.containers.runAgain(scope, { id, generation }, { requestId });
      if (row !== null) this.log.info({ containerId: id }, 'restart');
    });
  }
}
