import { Keeper, type KeeperOptions } from './keeper.ts';
import type { Part, PartName } from './parts/part.ts';
import type { Progress } from './progress.ts';
import type { RunningProcess, States } from './records.ts';

/** Keeps an instance's parts running, each after those that it needs, and stops it before them. */
export class Keepers {
  readonly #keepers: readonly Keeper[];
  readonly #begun = new Set<Keeper>();

  /** @param optionsOf what each part's keeper gets */
  constructor(parts: readonly Part[], optionsOf: (name: PartName) => KeeperOptions) {
    this.#keepers = keepersOf(parts, optionsOf);
  }

  get processes(): RunningProcess[] {
    return this.#keepers.flatMap((keeper) => keeper.process ?? []);
  }

  get states(): States {
    const states = this.#keepers.map(({ name, isUp }) => [name, isUp ? 'up' : 'down'] as const);
    return Object.fromEntries(states);
  }

  /**
   * Resolves when all are up; those that do not need each other start side by side.
   * @throws what the first one threw that did not start; the others are for `stop` to end
   */
  async start(progress: Progress): Promise<void> {
    await Promise.all(
      this.#keepers.map(async (keeper) => {
        await keeper.needsUp();
        this.#begun.add(keeper);
        const step = progress.step(`started ${keeper.name}`, () => keeper.start());
        await step.catch((error: unknown) => {
          this.#begun.delete(keeper);
          throw error;
        });
      }),
    );
  }

  /** Also in the middle of a start. */
  async stop(progress: Progress): Promise<void> {
    const stops = new Map<Keeper, Promise<void>>();
    const stopped = (keeper: Keeper): Promise<void> => {
      const stop = stops.get(keeper) ?? this.#stopOne(keeper, stopped, progress);
      stops.set(keeper, stop);
      return stop;
    };
    await Promise.all(this.#keepers.map(stopped));
  }

  async #stopOne(
    keeper: Keeper,
    stopped: (keeper: Keeper) => Promise<void>,
    progress: Progress,
  ): Promise<void> {
    await Promise.all(this.#keepers.filter(({ needs }) => needs.includes(keeper)).map(stopped));
    if (!this.#begun.has(keeper)) return keeper.stop();
    await progress.step(`stopped ${keeper.name}`, () => keeper.stop());
  }
}

/** Each with the keepers of what it needs. */
function keepersOf(parts: readonly Part[], optionsOf: (name: PartName) => KeeperOptions): Keeper[] {
  const made = new Map<PartName, Keeper>();
  const make = (part: Part): Keeper => {
    const known = made.get(part.name);
    if (known !== undefined) return known;
    const needs = parts.filter(({ name }) => part.needs.includes(name)).map(make);
    const keeper = new Keeper(part, needs, optionsOf(part.name));
    made.set(part.name, keeper);
    return keeper;
  };
  return parts.map(make);
}
