import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Subject } from '@slipway/contracts';
import type { Logger } from '@slipway/log';
import { makeCgroup, removeCgroup } from '../cgroups/cgroup.ts';
import type { Metered } from '../usage/meter.ts';
import type { Meters } from '../usage/meters.ts';

export type SandboxSubject = Extract<Subject, { buildId: string }>;

/** What all builds get of the processors is a tenth of what all containers get, while both want them. */
const CPU_WEIGHT = 102;

/**
 * The cgroups of builds, all below one. A sandbox's own goes with it; the one above that keeps what it used
 * until that is known, and has all that says whose it was in its name: builds end with their agent, and the
 * next one finds it.
 */
export class BuildCgroups {
  readonly #parent: string;
  readonly #meters: Meters;
  readonly #log: Logger;

  private constructor(parent: string, meters: Meters, log: Logger) {
    this.#parent = parent;
    this.#meters = meters;
    this.#log = log;
  }

  /** What an earlier agent had under way has ended with it; what that used is reported. */
  static async begin(parent: string, meters: Meters, log: Logger): Promise<BuildCgroups> {
    for (const metered of leftBelow(parent)) {
      await removeCgroup(sandboxIn(metered));
      await meters.end(metered, null);
    }
    await removeCgroup(parent);
    makeCgroup(parent, CPU_WEIGHT);
    return new BuildCgroups(parent, meters, log);
  }

  /** @param work gets a sandbox's cgroup, and removes it when that is over */
  async metered<T>(subject: SandboxSubject, work: (cgroup: string) => Promise<T>): Promise<T> {
    const metered = meteredSandbox(this.#parent, subject, new Date());
    this.#meters.begun(metered);
    try {
      return await work(sandboxIn(metered));
    } finally {
      await this.#meters.end(metered, new Date()).catch((error: unknown) => {
        this.#log.warn({ err: error, subject }, 'what a build used is reported later');
      });
      await removeCgroup(metered.cgroup);
    }
  }

  /** Of a sandbox of the node’s own. */
  unmetered(name: string): string {
    return join(this.#parent, name);
  }
}

function sandboxIn({ cgroup }: Metered): string {
  return join(cgroup, 'sandbox');
}

function meteredSandbox(parent: string, subject: SandboxSubject, startedAt: Date): Metered {
  const { buildId, attempt, sandbox } = subject;
  const name = [buildId, attempt, sandbox, startedAt.getTime()].join('-');
  return { subject, startedAt: startedAt.toISOString(), cgroup: join(parent, name) };
}

function leftBelow(parent: string): Metered[] {
  const names = new Set(globSync(`/sys/fs/cgroup/{.,*}${parent}/*/`).map((path) => basename(path)));
  return [...names].flatMap((name) => {
    const [, buildId, attempt, sandbox, startedAt] =
      /^(\w+)-(\d+)-(build|push)-(\d+)$/.exec(name) ?? [];
    if (buildId === undefined || (sandbox !== 'build' && sandbox !== 'push')) return [];
    const subject = { buildId, attempt: Number(attempt), sandbox } as const;
    return [meteredSandbox(parent, subject, new Date(Number(startedAt)))];
  });
}
