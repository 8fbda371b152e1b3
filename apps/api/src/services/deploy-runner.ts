import { Inject, Injectable } from '@nestjs/common';
import type { Notifications } from '@slipway/db';
import { statesBefore } from '@slipway/lifecycle';
import { type Logger, traced } from '@slipway/log';
import type { RoutePublisher } from '@slipway/routes';
import { ScopeStore } from '../access/scope.store.ts';
import { ContainerLogs } from '../containers/container.logs.ts';
import { STOP_GRACE_MS } from '../containers/container.schema.ts';
import { type ContainerRow, ContainerStore } from '../containers/container.store.ts';
import { Loop } from '../loop.ts';
import { LOGGER, NOTIFICATIONS, ROUTE_PUBLISHER } from '../platform.module.ts';
import { DeployMoveStore, type LastLines, type UnwantedContainer } from './deploy-move.store.ts';
import { isDrained, type Published } from './draining.ts';

const LOOK_EVERY_MS = 15_000;
const AFTER_A_FAILURE_MS = 2_000;
/** Edges tell each 100 ms. */
const WHILE_DRAINING_MS = 100;
/** How many lines a deploy that failed tells of its instance, and how long its node may take for them. */
const LAST_LINES = 20;
const LAST_LINES_WITHIN_MS = 5_000;
const NOTHING: Published = { version: 0, edges: [] };

/**
 * Brings every deploy to its end, and ends what it leaves behind. It is told of changes and also looks
 * for itself; several replicas share the work.
 */
@Injectable()
export class DeployRunner {
  readonly loop: Loop;

  constructor(
    @Inject(DeployMoveStore) private readonly moves: DeployMoveStore,
    @Inject(ContainerStore) private readonly containers: ContainerStore,
    @Inject(ContainerLogs) private readonly logs: ContainerLogs,
    @Inject(ScopeStore) private readonly scopes: ScopeStore,
    @Inject(ROUTE_PUBLISHER) private readonly publisher: RoutePublisher,
    @Inject(NOTIFICATIONS) notifications: Notifications,
    @Inject(LOGGER) private readonly log: Logger,
  ) {
    this.loop = new Loop(notifications, log, {
      ...{ channels: ['services'], failure: 'deploys cannot be moved' },
      work: () => this.#run(),
    });
  }

  /** @returns in how many ms time alone may have changed something */
  async #run(): Promise<number> {
    let nextMs = LOOK_EVERY_MS;
    for (const { id, requestId } of await this.moves.unfinished()) {
      nextMs = Math.min(nextMs, await traced(requestId, () => this.#move(id)));
    }
    return Math.min(nextMs, await this.#endUnwanted());
  }

  async #endUnwanted(): Promise<number> {
    const unwanted = await this.moves.unwanted();
    const isDraining = unwanted.some(({ fate }) => fate === 'drain');
    const published = isDraining ? await this.#published() : NOTHING;
    let nextMs = LOOK_EVERY_MS;
    for (const container of unwanted) {
      if (container.fate === 'drain' && !isDrained(container, published, new Date())) {
        nextMs = WHILE_DRAINING_MS;
      } else {
        await traced(container.requestId, () => this.#end(container));
      }
    }
    return nextMs;
  }

  async #published(): Promise<Published> {
    try {
      return { version: await this.publisher.version(), edges: await this.publisher.edges() };
    } catch {
      return NOTHING; // Redis is away; who publishes says so
    }
  }

  /** One that fails holds up no other. */
  async #move(id: string): Promise<number> {
    try {
      let moved = await this.moves.move(id, new Date());
      if (moved.type === 'failing') {
        moved = await this.moves.move(id, new Date(), await this.#lastLinesOf(moved.instance));
      }
      return moved.type === 'later' ? Math.max(moved.at.getTime() - Date.now(), 0) : LOOK_EVERY_MS;
    } catch (error) {
      this.log.error({ err: error, deployId: id }, 'a deploy cannot be moved');
      return AFTER_A_FAILURE_MS;
    }
  }

  async #lastLinesOf(instance: ContainerRow): Promise<LastLines> {
    try {
      return await this.logs.last(instance, LAST_LINES, AbortSignal.timeout(LAST_LINES_WITHIN_MS));
    } catch (err) {
      this.log.warn({ err, containerId: instance.id }, 'the last lines of an instance are missing');
      return null;
    }
  }

  async #end({ id, projectId, requestId, fate }: UnwantedContainer): Promise<void> {
    const scope = await this.scopes.ofProject(projectId);
    if (fate === 'remove') {
      await this.containers.remove(scope, id, statesBefore('removing'), { requestId });
    } else await this.containers.stop(scope, id, { graceMs: STOP_GRACE_MS }, { requestId });
  }
}
