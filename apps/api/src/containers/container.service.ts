import { constants } from 'node:os';
import { Inject, Injectable } from '@nestjs/common';
import { AppError, ContainerSpecSchema } from '@slipway/contracts';
import type { Notifications } from '@slipway/db';
import { type ContainerState, isSettled, statesBefore } from '@slipway/lifecycle';
import type { Asked } from '../access/asked.ts';
import { notFound } from '../access/not-found.ts';
import type { ProjectScope } from '../access/scope.store.ts';
import { ImageResolver } from '../images/image-resolver.ts';
import { NodeStore } from '../nodes/node.store.ts';
import { place } from '../placement/place.ts';
import { NOTIFICATIONS } from '../platform.module.ts';
import { madeUpName, newEngineId } from './container.names.ts';
import type { NewContainer } from './container.schema.ts';
import { ContainerSignals } from './container.signals.ts';
import { stateOf } from './container.state.ts';
import { type ContainerRow, ContainerStore, type StopOptions } from './container.store.ts';

/** What a request changed: `row` as it is now. */
export interface Change {
  row: ContainerRow;
  /** false: it was so already */
  isNew: boolean;
}

/** What is to be done with a container as it is; what does that gives null when it is another by now. */
type Decide = (row: ContainerRow) => 'done' | AppError | (() => Promise<ContainerRow | null>);

const NAME_ATTEMPTS = 5;
const { SIGINT, SIGKILL, SIGQUIT, SIGTERM } = constants.signals;
/** What people send to end a program. */
const ENDING_SIGNALS: readonly number[] = [SIGINT, SIGQUIT, SIGTERM];
/** States in which there may be a program. */
const HAVE_PROGRAMS = ['pending', 'running', 'restarting', 'stopping'];

@Injectable()
export class ContainerService {
  constructor(
    @Inject(ContainerStore) private readonly containers: ContainerStore,
    @Inject(NOTIFICATIONS) private readonly notifications: Notifications,
    @Inject(ImageResolver) private readonly images: ImageResolver,
    @Inject(NodeStore) private readonly nodes: NodeStore,
    @Inject(ContainerSignals) private readonly signals: ContainerSignals,
  ) {}

  async create(asked: Asked, wanted: NewContainer): Promise<ContainerRow> {
    const { image, name, labels, restartPolicy, start, ...given } = wanted;
    const { repository, digest } = await this.images.resolve(asked, image, 'image');
    const nodeId = place(await this.nodes.candidates(), new Date());
    if (nodeId === null) throw new AppError('unavailable', 'No node has joined yet; try again.');
    const spec = ContainerSpecSchema.parse(given);
    for (let attempt = 1; ; attempt++) {
      const row = await this.containers.create(
        asked.scope,
        {
          ...{ engineId: newEngineId(), name: name ?? madeUpName(repository.split('/').at(-1)) },
          ...{ nodeId, image, repository, imageDigest: digest, labels, spec },
          ...{ restartPolicy, start },
        },
        asked,
      );
      if (row !== null) return row;
      if (name !== undefined || attempt === NAME_ATTEMPTS) {
        throw new AppError(
          'already-exists',
          `A container of this project is named "${name}": choose another name, or remove that one.`,
        );
      }
    }
  }

  /** @throws AppError `not-found`, also for a removed one */
  async get(scope: ProjectScope, reference: string): Promise<ContainerRow> {
    const row = await this.containers.find(scope, reference);
    if (row === null || row.state === 'removed') throw unknown(reference);
    return row;
  }

  list(scope: ProjectScope, page: { limit: number; after: string }): Promise<ContainerRow[]> {
    return this.containers.list(scope, page);
  }

  start(asked: Asked, reference: string): Promise<Change> {
    return this.#changeLiving(asked, reference, (row) => {
      if (row.desired === 'running' && row.restartAt === null) return 'done';
      if (row.state === 'stopping') return conflict(row, 'stopping: wait until it has stopped');
      return () => this.containers.start(asked.scope, row.id, asked);
    });
  }

  stop(asked: Asked, reference: string, options: StopOptions): Promise<Change> {
    return this.#changeLiving(asked, reference, (row) => {
      const stopsAsSoon = row.state !== 'stopping' || row.stopGraceMs <= options.graceMs;
      if (row.desired === 'stopped' && stopsAsSoon) return 'done';
      return () => this.containers.stop(asked.scope, row.id, options, asked);
    });
  }

  /** Of one that rests it is a start. */
  restart(asked: Asked, reference: string, options: StopOptions): Promise<Change> {
    return this.#changeLiving(asked, reference, (row) => {
      if (row.state === 'pending' || row.state === 'restarting') return 'done';
      if (!statesBefore('restarting').includes(row.state as ContainerState)) {
        return () => this.containers.start(asked.scope, row.id, asked);
      }
      return () => this.containers.restart(asked.scope, row.id, options, asked);
    });
  }

  /**
   * SIGKILL is a stop without grace; what other signals lead to is the program's own matter. When it
   * ends after one that is to end it, its restart policy does not count.
   */
  kill(asked: Asked, reference: string, signal: number): Promise<Change> {
    return this.#changeLiving(asked, reference, (row) => {
      const state = stateOf(row);
      if (!HAVE_PROGRAMS.includes(row.state)) {
        return conflict(row, `${state}: it has no program that a signal could reach`);
      }
      if (signal !== SIGKILL) return () => this.#signal(asked.scope, row, signal);
      if (row.state === 'stopping' && row.stopGraceMs === 0) return 'done';
      return () => this.containers.stop(asked.scope, row.id, { graceMs: 0 }, asked);
    });
  }

  remove(asked: Asked, reference: string, options: { isForced: boolean }): Promise<Change> {
    return this.#change(asked, reference, (row) => {
      if (row.desired === 'removed') return 'done';
      const isBeingMade = row.state === 'pending' && row.generation === 0;
      const rests: ContainerState[] = ['created', 'exited', 'failed'];
      if (isBeingMade) rests.push('pending');
      const from = options.isForced ? statesBefore('removing') : rests;
      const isBetweenRuns = row.restartAt !== null && !options.isForced;
      if (isBetweenRuns || !from.includes(row.state as ContainerState)) {
        return conflict(row, `${stateOf(row)}: stop it first, or remove it with ?force=true`);
      }
      return () => this.containers.remove(asked.scope, row.id, from, asked);
    });
  }

  /**
   * Waits until it is in one of `states`, or when there are none until it rests or runs; a removed
   * one can be waited for. @returns it as it is then, or when `signal` is aborted
   */
  async wait(
    scope: ProjectScope,
    reference: string,
    wanted: { states: readonly string[]; generation: number },
    signal: AbortSignal,
  ): Promise<ContainerRow> {
    const { states, generation } = wanted;
    const isThere = (row: ContainerRow): boolean => {
      const state = stateOf(row);
      return states.length === 0 ? isSettled(state) : states.includes(state);
    };
    const isDone = (row: ContainerRow): boolean =>
      row.state === 'removed' ||
      (generation > 0 && row.generation > generation) ||
      (row.generation >= generation && isThere(row));
    let row = await this.containers.find(scope, reference);
    if (row === null) throw unknown(reference);
    const { id } = row; // its name may be another's soon
    for await (const _ of this.notifications.changes('containers', id, signal)) {
      row = (await this.containers.find(scope, id)) ?? row;
      if (isDone(row)) break;
    }
    return row;
  }

  async #signal(
    scope: ProjectScope,
    row: ContainerRow,
    signal: number,
  ): Promise<ContainerRow | null> {
    if (ENDING_SIGNALS.includes(signal)) {
      const noted = await this.containers.noteSignal(scope, row);
      if (noted === null) return null;
    }
    if (!(await this.signals.send(row, signal))) {
      throw conflict(row, 'beginning or ending: it has no program that a signal could reach');
    }
    await this.containers.noteSent(scope, row);
    return row;
  }

  #changeLiving(asked: Asked, reference: string, decide: Decide): Promise<Change> {
    return this.#change(asked, reference, (row) =>
      row.desired === 'removed' ? conflict(row, 'being removed') : decide(row),
    );
  }

  /** Decides by what it is now; when that changed meanwhile, decides again. */
  async #change({ scope }: Asked, reference: string, decide: Decide): Promise<Change> {
    for (;;) {
      const row = await this.get(scope, reference);
      if (row.serviceId !== null) {
        throw conflict(row, `an instance of the service ${row.serviceId}: change or delete that`);
      }
      const decision = decide(row);
      if (decision === 'done') return { row, isNew: false };
      if (decision instanceof AppError) throw decision;
      const changed = await decision();
      if (changed !== null) return { row: changed, isNew: true };
    }
  }
}

function unknown(reference: string): AppError {
  return notFound(`container "${reference}" in this project`);
}

/** @param what it is, and what to do */
function conflict({ name }: ContainerRow, what: string): AppError {
  return new AppError('state-conflict', `The container "${name}" is ${what}.`);
}
