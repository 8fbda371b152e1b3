import { Inject, Injectable } from '@nestjs/common';
import type { Notifications } from '@slipway/db';
import type { Logger } from '@slipway/log';
import { Loop } from '../loop.ts';
import { LOGGER, NOTIFICATIONS } from '../platform.module.ts';
import { ChainStore } from './chain.store.ts';

/** Nobody tells it: a notification with every change would cost each of them more than this does. */
const LOOK_EVERY_MS = 400;
const ORGANIZATIONS_AT_A_TIME = 100;
const RECORDS_AT_A_TIME = 1000;

/** Seals what is recorded within a second. Several replicas may do so side by side. */
@Injectable()
export class AuditSealer {
  readonly loop: Loop;

  constructor(
    @Inject(ChainStore) private readonly chains: ChainStore,
    @Inject(NOTIFICATIONS) notifications: Notifications,
    @Inject(LOGGER) log: Logger,
  ) {
    this.loop = new Loop(notifications, log, {
      ...{ channels: [], failure: 'audit records cannot be sealed' },
      work: () => this.#seal(),
    });
  }

  async #seal(): Promise<number> {
    const found = await this.chains.unsealed(ORGANIZATIONS_AT_A_TIME);
    let isBehind = found.length === ORGANIZATIONS_AT_A_TIME;
    const failures: unknown[] = [];
    for (const organizationId of found) {
      try {
        const sealed = await this.chains.seal(organizationId, RECORDS_AT_A_TIME);
        isBehind ||= sealed === RECORDS_AT_A_TIME;
      } catch (cause) {
        failures.push(new Error(`of ${organizationId}: ${String(cause)}`, { cause }));
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'a chain cannot go on');
    return isBehind ? 0 : LOOK_EVERY_MS;
  }
}
