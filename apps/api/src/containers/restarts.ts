import { Inject, Injectable } from '@nestjs/common';
import type { Notifications } from '@slipway/db';
import { type Logger, traced } from '@slipway/log';
import { ScopeStore } from '../access/scope.store.ts';
import { Loop } from '../loop.ts';
import { LOGGER, NOTIFICATIONS } from '../platform.module.ts';
import { ContainerStore, type RestingContainer } from './container.store.ts';
import { restartDelayMs } from './restart-delay.ts';

const LOOK_EVERY_MS = 15_000;

/** Starts again what has ended and has the restart policy `always`. Several replicas may do so side by side. */
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
    let nextMs = LOOK_EVERY_MS;
    for (const container of await this.containers.toRestart()) {
      const dueAt = (container.finishedAt?.getTime() ?? 0) + restartDelayMs(container.runs);
      const inMs = dueAt - Date.now();
      if (inMs > 0) nextMs = Math.min(nextMs, inMs);
      else await this.#restart(container);
    }
    return nextMs;
  }

  async #restart({ id, projectId, generation }: RestingContainer): Promise<void> {
    const scope = await this.scopes.ofProject(projectId);
    const requestId = `restart-${id}-${generation + 1}`;
    await traced(requestId, async () => {
      const row = await this.containers.runAgain(scope, { id, generation }, { requestId });
      if (row !== null) this.log.info({ containerId: id }, 'restart');
    });
  }
}
