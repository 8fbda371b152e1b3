import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import type { LOG_CALLS } from '@slipway/contracts';
import type { Caller } from '@slipway/rpc';
import { type Fifos, fifosOf } from '../logs/container-log.ts';

/**
 * Where programs write to. The log process reads it; here it is kept open besides, so that what is in
 * the FIFOs is not gone when a program and the log process end at the same time.
 */
export class Outputs {
  readonly #calls: Caller<typeof LOG_CALLS>;
  readonly #kept = new Map<string, number[]>();

  /** @param fifosDir what is there was made for an earlier agent, and is in use */
  constructor(calls: Caller<typeof LOG_CALLS>, fifosDir: string) {
    this.#calls = calls;
    for (const engineId of foldersIn(fifosDir)) this.#keep(engineId, fifosOf(fifosDir, engineId));
  }

  /** Of a run that is to begin. */
  async open(engineId: string): Promise<Fifos> {
    const fifos = await this.#calls.openLog({ engineId });
    this.#keep(engineId, fifos);
    return fifos;
  }

  /** Resolves when all that was written is in the log, after `timeoutMs` at the latest. */
  async close(engineId: string, timeoutMs: number): Promise<void> {
    await this.#calls.closeLog({ engineId, timeoutMs });
    this.#release(engineId);
  }

  /** With the log. */
  async remove(engineId: string): Promise<void> {
    await this.#calls.removeLog({ engineId });
    this.#release(engineId);
  }

  #keep(engineId: string, fifos: Fifos): void {
    const fds = Object.values(fifos).flatMap(readEndOf);
    this.#release(engineId);
    this.#kept.set(engineId, fds);
  }

  #release(engineId: string): void {
    for (const fd of this.#kept.get(engineId) ?? []) closeSync(fd);
    this.#kept.delete(engineId);
  }
}

/** Without waiting for a writer; none when the log process has removed it. */
function readEndOf(fifo: string): number[] {
  try {
    return [openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)];
  } catch {
    return [];
  }
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // the log process has not made it yet
  }
}
