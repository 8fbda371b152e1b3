import { Inject, Injectable } from '@nestjs/common';
import type { Notifications } from '@slipway/db';
import type { Logger } from '@slipway/log';
import type { RoutePublisher, Served } from '@slipway/routes';
import { Loop } from '../loop.ts';
import { LOGGER, NOTIFICATIONS, ROUTE_PUBLISHER } from '../platform.module.ts';
import { ServedStore } from './served.store.ts';

const EVERY_MS = 2_000;
const AT_A_TIME = 1_000;
const HOUR_MS = 3_600_000;
/** One that is gone and has told nothing new for so long will not come back. */
const REMEMBERED_MS = 7 * 24 * HOUR_MS;

/** Counts what edges tell that they have served. Several replicas may do so side by side. */
@Injectable()
export class ServedMeter {
  readonly loop: Loop;
  /** what this replica need not count again */
  #counted = new Map<string, number>();
  #forgotAt = Number.NEGATIVE_INFINITY;

  constructor(
    @Inject(ServedStore) private readonly served: ServedStore,
    @Inject(ROUTE_PUBLISHER) private readonly publisher: RoutePublisher,
    @Inject(NOTIFICATIONS) notifications: Notifications,
    @Inject(LOGGER) log: Logger,
  ) {
    this.loop = new Loop(notifications, log, {
      ...{ channels: [], failure: 'what edges have served cannot be counted' },
      work: () => this.#count(),
    });
  }

  async #count(): Promise<number> {
    const told = await this.publisher.served();
    const news = told.filter((served) => this.#counted.get(keyOf(served)) !== served.bytes);
    for (let at = 0; at < news.length; at += AT_A_TIME) {
      await this.served.note(news.slice(at, at + AT_A_TIME));
    }
    this.#counted = new Map(told.map((served) => [keyOf(served), served.bytes]));
    await this.publisher.forgetServed(told.filter(({ isGone }) => isGone));
    if (performance.now() - this.#forgotAt > HOUR_MS) await this.#forget();
    return EVERY_MS;
  }

  async #forget(): Promise<void> {
    const silent = await this.served.silentEdges(new Date(Date.now() - REMEMBERED_MS));
    await this.served.forget(await this.publisher.gone(silent));
    this.#forgotAt = performance.now();
  }
}

const keyOf = ({ edgeId, serviceId }: Served): string => `${edgeId}/${serviceId}`;
