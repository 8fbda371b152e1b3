import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { tailOf } from './files.ts';
import type { Part, PartName } from './parts/part.ts';
import { startTimeOf } from './process.ts';
import type { RunningProcess } from './records.ts';
import { waitFor } from './wait.ts';

const ANSWERS_WITHIN_MS = 120_000;
/** After each failure in a row it waits longer before the next attempt. */
const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 10_000;
/** Up for so long, an end is a new trouble and not the last one again. */
const STABLE_AFTER_MS = 60_000;
const SHOWN_LINES = 15;

export interface KeeperOptions {
  /** what the part writes is appended here */
  logFile: string;
  env: Readonly<Record<string, string>>;
  /** its process or its state is another one now */
  onChange(): void;
  /** for the supervisor's log */
  say(line: string): void;
}

/** Keeps one part running: starts it, and again whenever it ends, until `stop`. */
export class Keeper {
  /** what must be up before it starts */
  readonly needs: readonly Keeper[];
  readonly #part: Part;
  readonly #options: KeeperOptions;
  readonly #stopping = new AbortController();
  readonly #stopped: Promise<never>;
  #child: ChildProcess | null = null;
  /** resolves with how */
  #ended: Promise<string> = Promise.resolve('');
  #process: RunningProcess | null = null;
  #isUp = false;
  #up = Promise.withResolvers<void>();
  #starting: Promise<unknown> = Promise.resolve();
  #watching: Promise<void> = Promise.resolve();

  constructor(part: Part, needs: readonly Keeper[], options: KeeperOptions) {
    this.#part = part;
    this.needs = needs;
    this.#options = options;
    const { signal } = this.#stopping;
    this.#stopped = once(signal, 'abort').then(() => Promise.reject(signal.reason));
    this.#stopped.catch(() => {});
  }

  get name(): PartName {
    return this.#part.name;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get process(): RunningProcess | null {
    return this.#process;
  }

  /** Resolves when all that it needs is up. @throws AbortError when it is stopped before */
  async needsUp(): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    for (let down = this.#neededNow; down !== undefined; down = this.#neededNow)
      await Promise.race([down.#up.promise, this.#stopped]);
  }

  get #neededNow(): Keeper | undefined {
    return this.needs.find(({ isUp }) => !isUp);
  }

  /**
   * Resolves when it answers. @throws Error with its last output when it ends before that, AbortError
   * when it is stopped
   */
  async start(): Promise<void> {
    const launching = this.#launch();
    this.#starting = launching.catch(() => {});
    await launching;
    this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#end();
    await this.#starting;
    await this.#watching;
    await this.#part.cleanUp?.();
  }

  async #launch(): Promise<void> {
    await this.#part.prepare();
    this.#stopping.signal.throwIfAborted();
    const [program = '', ...args] = this.#part.argv();
    const log = openSync(this.#options.logFile, 'a');
    const logStart = fstatSync(log).size;
    const child = spawn(program, args, {
      stdio: ['ignore', log, log],
      env: { ...this.#options.env, ...this.#part.env?.() },
      detached: true, // its own process group: a signal from a terminal is ours to pass on
    });
    closeSync(log);
    this.#child = child;
    this.#ended = once(child, 'exit').then(
      () => howEnded(child),
      (error: Error) => `(${error.message})`, // it does not run at all
    );
    void this.#ended.then(() => this.#setDown());
    const startTime = child.pid === undefined ? null : startTimeOf(child.pid);
    if (child.pid !== undefined && startTime !== null) {
      this.#process = { name: this.name, pid: child.pid, startTime };
      this.#options.onChange();
    }
    try {
      await waitFor(this.name, () => this.#part.check().then(() => true), {
        timeoutMs: ANSWERS_WITHIN_MS,
        giveUp: () => (isRunning(child) ? null : this.#lastWords(child, logStart)),
      });
    } catch (error) {
      this.#stopping.signal.throwIfAborted();
      throw error;
    }
    if (isRunning(child)) this.#setUp();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    let delayMs = FIRST_DELAY_MS;
    for (;;) {
      const upSince = performance.now();
      const how = await this.#ended;
      if (signal.aborted) return;
      if (performance.now() - upSince > STABLE_AFTER_MS) delayMs = FIRST_DELAY_MS;
      this.#options.say(`${this.name} ended ${how}; it is started again in ${delayMs} ms`);
      for (let isUp = false; !isUp; ) {
        await delay(delayMs, undefined, { signal }).catch(() => {});
        if (signal.aborted) return;
        delayMs = Math.min(delayMs * 2, LAST_DELAY_MS);
        isUp = await this.#relaunch(delayMs);
      }
    }
  }

  /** @param nextMs when the next attempt is, after one in vain */
  async #relaunch(nextMs: number): Promise<boolean> {
    const down = this.#neededNow;
    if (down !== undefined) this.#options.say(`${this.name} waits for ${down.name}`);
    try {
      await this.needsUp();
      await this.#launch();
      this.#options.say(`${this.name} is up again`);
      return true;
    } catch (error) {
      if (this.#stopping.signal.aborted) return false;
      const { message } = error as Error;
      this.#options.say(
        `${this.name} did not start, and is tried again in ${nextMs} ms: ${message}`,
      );
      await this.#end();
      return false;
    }
  }

  #setUp(): void {
    this.#isUp = true;
    this.#up.resolve();
    this.#options.onChange();
  }

  #setDown(): void {
    if (this.#isUp) this.#up = Promise.withResolvers();
    this.#isUp = false;
    this.#process = null;
    this.#options.onChange();
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (child === null || !isRunning(child)) return;
    child.kill(this.#part.stopSignal);
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#part.stopGraceMs);
    await this.#ended;
    clearTimeout(timer);
  }

  /** @param logStart where in the log its own output begins */
  #lastWords(child: ChildProcess, logStart: number): string {
    const output = tailOf(this.#options.logFile, logStart).trimEnd();
    if (output === '') return `it ended ${howEnded(child)} and said nothing.`;
    const lines = output.split('\n').slice(-SHOWN_LINES);
    return `it ended ${howEnded(child)}. Its last output:\n${lines.join('\n')}`;
  }
}

function howEnded({ exitCode, signalCode }: ChildProcess): string {
  return exitCode === null ? `by ${signalCode}` : `with ${exitCode}`;
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}
