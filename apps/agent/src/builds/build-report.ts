import { setTimeout as delay } from 'node:timers/promises';
import {
  type BUILD_CALLS,
  BUILD_LEASE_MS,
  type BuildEnd,
  type BuildOrder,
  type BuildOutput,
  type BuildStep,
} from '@slipway/contracts';
import type { Logger } from '@slipway/log';
import { Repeater } from '@slipway/process';
import type { Caller } from '@slipway/rpc';
import type { ProgressSink } from './builder.ts';

/** What comes in so short a time is told together. */
const EVERY_MS = 200;
const HEARTBEAT_MS = BUILD_LEASE_MS / 4;
const RETRY_MS = 500;
/** Of what a build writes; the rest is left out. */
const MAX_CHARACTERS = 4 * 1024 * 1024;
/** A call's body has 1 MiB at most. */
const CHARACTERS_AT_A_TIME = 128 * 1024;

/**
 * Tells the API of a build: its steps, what it writes, that it goes on, how it ended. While the API
 * is away, it is kept and told later.
 */
export class BuildReport implements ProgressSink {
  readonly #api: Caller<typeof BUILD_CALLS>;
  readonly #attempt: { nodeId: string; buildId: string; attempt: number };
  readonly #log: Logger;
  readonly #lost = new AbortController();
  readonly #stopping = new AbortController();
  readonly #repeater = new Repeater(() => this.#tellSome());
  #steps: BuildStep[] | null = null;
  /** what was not taken yet, and how many pieces were */
  readonly #output: BuildOutput[] = [];
  #told = 0;
  /** so many of `#output` were sent, and must not change any more */
  #sealed = 0;
  #characters = 0;

  constructor(
    { nodeId, order }: { nodeId: string; order: BuildOrder },
    api: Caller<typeof BUILD_CALLS>,
    log: Logger,
  ) {
    this.#attempt = { nodeId, buildId: order.id, attempt: order.attempt };
    this.#api = api;
    this.#log = log;
    this.#repeater.soon();
  }

  /** Aborted when the build is to be given up: it was cancelled, or somebody else has it. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  steps(steps: BuildStep[]): void {
    this.#steps = steps;
    this.#repeater.soon();
  }

  write(step: number | null, line: string): void {
    if (this.#characters > MAX_CHARACTERS) return;
    this.#characters += line.length + 1;
    const isTooMuch = this.#characters > MAX_CHARACTERS;
    const text = isTooMuch ? 'More than 4 MiB: the rest is left out.\n' : `${line}\n`;
    const last = this.#output.length > this.#sealed ? this.#output.at(-1) : undefined;
    if (last !== undefined && last.step === step && last.text.length < CHARACTERS_AT_A_TIME / 2) {
      last.text += text;
    } else {
      this.#output.push({ step, time: new Date().toISOString(), text });
    }
    this.#repeater.soon();
  }

  /** After all else is told; however long the API is away. */
  async end(end: BuildEnd, closing: AbortSignal): Promise<void> {
    await this.stop();
    const given = AbortSignal.any([closing, this.lost]);
    while (!given.aborted && (this.#steps !== null || this.#output.length > 0)) {
      if (!(await this.#send())) await pause(RETRY_MS, given);
    }
    while (!given.aborted) {
      try {
        await this.#api.endBuild({ ...this.#attempt, end });
        return;
      } catch (error) {
        this.#log.warn({ err: error, ...this.#attempt }, 'the end of a build cannot be told');
        await pause(RETRY_MS, given);
      }
    }
  }

  /** Nothing more is told by itself. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#repeater.close();
  }

  async #tellSome(): Promise<number> {
    const isTold = await this.#send();
    await pause(isTold ? EVERY_MS : RETRY_MS, this.#stopping.signal);
    return isTold ? HEARTBEAT_MS : 0;
  }

  async #send(): Promise<boolean> {
    const steps = this.#steps;
    this.#steps = null;
    const output = this.#nextOutput();
    try {
      const { goesOn } = await this.#api.reportBuild({
        ...{ ...this.#attempt, outputFrom: this.#told, output },
        ...(steps === null ? {} : { steps }),
      });
      this.#output.splice(0, output.length);
      this.#sealed -= output.length;
      this.#told += output.length;
      if (!goesOn) this.#lost.abort();
      return true;
    } catch (error) {
      this.#steps ??= steps;
      this.#log.warn({ err: error, ...this.#attempt }, 'a build cannot be reported');
      return false;
    }
  }

  /** What is sent once is sent again as it was: nobody knows whether it arrived. */
  #nextOutput(): BuildOutput[] {
    let characters = 0;
    const end = this.#output.findIndex(({ text }) => {
      characters += text.length;
      return characters > CHARACTERS_AT_A_TIME;
    });
    const output = this.#output.slice(0, end === -1 ? undefined : Math.max(end, 1));
    this.#sealed = Math.max(this.#sealed, output.length);
    return output;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return delay(ms, undefined, { signal }).catch(() => {});
}
