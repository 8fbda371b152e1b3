import { Inject, Injectable } from '@nestjs/common';
import type { Notifications } from '@slipway/db';
import type { Logger } from '@slipway/log';
import { ScopeStore } from '../access/scope.store.ts';
import { Loop } from '../loop.ts';
import { LOGGER, NOTIFICATIONS } from '../platform.module.ts';
import { BuildLog } from './build.log.ts';
import { BuildStore } from './build.store.ts';

const LOOK_EVERY_MS = 60_000;
const AT_A_TIME = 20;

/** Takes what builds have written out of the database when they are over. Several replicas may do so side by side. */
@Injectable()
export class BuildLogArchive {
  readonly loop: Loop;

  constructor(
    @Inject(BuildStore) private readonly builds: BuildStore,
    @Inject(BuildLog) private readonly buildLog: BuildLog,
    @Inject(ScopeStore) private readonly scopes: ScopeStore,
    @Inject(NOTIFICATIONS) notifications: Notifications,
    @Inject(LOGGER) log: Logger,
  ) {
    this.loop = new Loop(notifications, log, {
      ...{ channels: ['built'], failure: 'logs of builds cannot be archived' },
      work: () => this.#run(),
    });
  }

  async #run(): Promise<number> {
    const found = await this.builds.toArchive(AT_A_TIME);
    for (const { id, projectId } of found) {
      await this.buildLog.archive(await this.scopes.ofProject(projectId), id);
    }
    return found.length < AT_A_TIME ? LOOK_EVERY_MS : 0;
  }
}
