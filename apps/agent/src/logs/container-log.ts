import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@slipway/log';
import { runScript } from '@slipway/process';
import type { LogStream } from './cri-record.ts';
import { LogFile } from './log-file.ts';
import { StreamCopy } from './stream-copy.ts';

const WITHIN = { timeoutMs: 30_000 };
const STREAMS: readonly LogStream[] = ['stdout', 'stderr'];

/** The FIFOs that a container's runs write to, and the file that they are read into. */
export class ContainerLog {
  readonly #copies: StreamCopy[];
  readonly #finished: Promise<void>;
  #isFinished = false;

  private constructor(copies: StreamCopy[], file: LogFile) {
    this.#copies = copies;
    this.#finished = Promise.all(copies.map(({ finished }) => finished)).then(async () => {
      this.#isFinished = true;
      await file.close();
    });
  }

  /** Reads from now on: a program that writes before is not lost, it waits. */
  static async open(fifos: Fifos, folder: string, log: Logger): Promise<ContainerLog> {
    await makeFifos(fifos);
    const file = await LogFile.open(folder);
    return new ContainerLog(
      STREAMS.map((stream) => new StreamCopy(fifos[stream], stream, file, log)),
      file,
    );
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  /** Waits until the run's writers are gone and all is written, at most `timeoutMs`; then it is over. */
  async close(timeoutMs: number): Promise<void> {
    for (const copy of this.#copies) copy.stopIfAbandoned();
    const timer = new AbortController();
    const late = delay(timeoutMs, undefined, { signal: timer.signal }).catch(() => {});
    await Promise.race([this.#finished, late]);
    timer.abort();
    for (const copy of this.#copies) copy.stop();
    await this.#finished;
  }
}

export type Fifos = Readonly<Record<LogStream, string>>;

export function fifosOf(folder: string, engineId: string): Fifos {
  return { stdout: join(folder, engineId, 'stdout'), stderr: join(folder, engineId, 'stderr') };
}

async function makeFifos(fifos: Fifos): Promise<void> {
  const missing = Object.values(fifos).filter((path) => !existsSync(path));
  if (missing.length === 0) return;
  await mkdir(join(fifos.stdout, '..'), { recursive: true });
  await runScript('mkfifo -m 600 "$@"', missing, WITHIN);
}
