import { Inject, Injectable } from '@nestjs/common';
import type { Notifications } from '@slipway/db';
import type { Logger } from '@slipway/log';
import type { RoutePublisher } from '@slipway/routes';
import { Loop } from '../loop.ts';
import { LOGGER, NOTIFICATIONS, ROUTE_PUBLISHER } from '../platform.module.ts';
import { RouteStore } from './route.store.ts';

/** A Redis that has lost its routes says nothing about it. */
const LOOK_EVERY_MS = 5_000;

/** Brings to Redis what it does not have of the routes, as soon as it is committed. Several replicas share the work. */
@Injectable()
export class RouteFeed {
  readonly loop: Loop;

  constructor(
    @Inject(RouteStore) private readonly routes: RouteStore,
    @Inject(ROUTE_PUBLISHER) private readonly publisher: RoutePublisher,
    @Inject(NOTIFICATIONS) notifications: Notifications,
    @Inject(LOGGER) log: Logger,
  ) {
    this.loop = new Loop(notifications, log, {
      ...{ channels: ['routes'], failure: 'routes cannot be published' },
      work: () => this.#run(),
    });
  }

  async #run(): Promise<number> {
    for (;;) {
      const after = await this.publisher.version();
      const changes = await this.routes.changesAfter(after);
      if (changes.length === 0) return LOOK_EVERY_MS;
      // false: another replica has, so look again
      if (await this.publisher.publish(after, changes)) await this.routes.tell(changes);
    }
  }
}
