import { readdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LOG_CALLS } from '@slipway/contracts';
import type { Logger } from '@slipway/log';
import type { Handlers } from '@slipway/rpc';
import { ContainerLog, type Fifos, fifosOf } from './container-log.ts';

export interface LogFolders {
  /** gone after a restart of the machine */
  fifos: string;
  /** the logs themselves */
  logs: string;
}

/**
 * Reads what this node's containers write, apart from the agent: that may be away without anything
 * being lost. A kill of this process loses what it had read and not written: one piece a stream.
 */
export class LogKeeper {
  readonly #folders: LogFolders;
  readonly #log: Logger;
  readonly #open = new Map<string, Promise<ContainerLog>>();

  constructor(folders: LogFolders, log: Logger) {
    this.#folders = folders;
    this.#log = log;
  }

  /** Goes on with what an earlier process read. */
  async start(): Promise<void> {
    await mkdir(this.#folders.fifos, { recursive: true, mode: 0o700 });
    await mkdir(this.#folders.logs, { recursive: true, mode: 0o700 });
    await Promise.all(readdirSync(this.#folders.fifos).map((engineId) => this.#openLog(engineId)));
  }

  handlers(): Handlers<typeof LOG_CALLS> {
    return {
      openLog: ({ engineId }) => this.#openLog(engineId),
      closeLog: async ({ engineId, timeoutMs }) => {
        await this.#closeLog(engineId, timeoutMs);
        return {};
      },
      removeLog: async ({ engineId }) => {
        await this.#closeLog(engineId, 0);
        await rm(join(this.#folders.logs, engineId), { recursive: true, force: true });
        return {};
      },
    };
  }

  /** What is in the FIFOs stays there for the next process. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(async (log) => (await log).close(0)));
  }

  /** Without its FIFOs: the next process has no run to go on with. */
  async #closeLog(engineId: string, timeoutMs: number): Promise<void> {
    const log = await this.#open.get(engineId);
    await log?.close(timeoutMs);
    this.#open.delete(engineId);
    await rm(join(this.#folders.fifos, engineId), { recursive: true, force: true });
  }

  async #openLog(engineId: string): Promise<Fifos> {
    const fifos = fifosOf(this.#folders.fifos, engineId);
    const known = await this.#open.get(engineId);
    if (known === undefined || known.isFinished) {
      const opening = ContainerLog.open(fifos, join(this.#folders.logs, engineId), this.#log);
      this.#open.set(engineId, opening);
      await opening;
    }
    return fifos;
  }
}
