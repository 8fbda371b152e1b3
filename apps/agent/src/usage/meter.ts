import type { Subject, SubjectUsage } from '@slipway/contracts';
import type { CgroupUsage } from '../cgroups/usage.ts';

export interface Metered {
  subject: Subject;
  /** RFC 3339 */
  startedAt: string;
  /** of all that runs for it; there as long as not all it has used is known */
  cgroup: string;
}

/** How often something is done: the younger a subject is, the more, since it may be short. */
interface Pace {
  leastMs: number;
  mostMs: number;
  partOfAge: number;
}

export const LOOKS: Pace = { leastMs: 100, mostMs: 1_000, partOfAge: 1 / 8 };
/** What was not reported when an agent is killed has to be guessed. */
const REPORTS: Pace = { leastMs: 500, mostMs: 10_000, partOfAge: 1 / 4 };
/** Builds end with their agent, and nobody sees when: what is seen of them is reported at once. */
const OF_BUILDS: Pace = { ...LOOKS, mostMs: 500 };

/** The counters of one subject. Between two looks its memory is taken to change evenly. */
export class Meter {
  readonly metered: Metered;
  readonly #isBuild: boolean;
  readonly #since: number;
  /** between a clock that people set and one that only runs on */
  readonly #offset = Date.now() - performance.now();
  #at: number;
  #reportedAt = 0;
  #isOver = false;
  #cpuSeconds = 0;
  /** null: nobody has looked yet */
  #firstMemoryBytes: number | null = null;
  #memoryBytes: number | null = null;
  #memoryByteSeconds = 0;

  /** @param since when counting begins; before the first look its memory is taken to be as that finds it */
  constructor(metered: Metered, since: Date) {
    this.metered = metered;
    this.#isBuild = 'buildId' in metered.subject;
    this.#since = since.getTime();
    this.#at = this.#since;
  }

  /** It has counted all. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get isToBeLookedAt(): boolean {
    return !this.#isOver && this.#isDue(this.#isBuild ? OF_BUILDS : LOOKS, this.#at);
  }

  get isToBeReported(): boolean {
    return this.#isOver || this.#isDue(this.#isBuild ? OF_BUILDS : REPORTS, this.#reportedAt);
  }

  /** The API knows its counters. */
  reported(): void {
    this.#reportedAt = this.#now();
  }

  /** What it has used now. */
  look(usage: CgroupUsage): void {
    this.#firstMemoryBytes ??= usage.memoryBytes;
    this.#count(this.#now(), usage, usage.memoryBytes);
  }

  /** What it had used when it ended. @param usage of its cgroup, where that is there; its memory is free by now */
  end(endedAt: Date | null, usage: CgroupUsage | null): void {
    this.#isOver = true;
    // two clocks, of which one may have been set
    const at = Math.min(
      Math.max(endedAt?.getTime() ?? 0, this.#at),
      Math.max(this.#now(), this.#at),
    );
    this.#count(at, usage, this.#memoryBytes ?? usage?.peakMemoryBytes ?? 0);
  }

  /** null: nobody has looked yet */
  get counters(): SubjectUsage | null {
    if (this.#memoryBytes === null) return null;
    const { subject, startedAt } = this.metered;
    return {
      ...{ subject, startedAt },
      ...{ since: new Date(this.#since).toISOString(), at: new Date(this.#at).toISOString() },
      ...{ cpuSeconds: this.#cpuSeconds, firstMemoryBytes: this.#firstMemoryBytes },
      memoryBytes: this.#memoryBytes,
      memoryByteSeconds: this.#memoryByteSeconds,
    };
  }

  #count(at: number, usage: CgroupUsage | null, memoryBytes: number): void {
    const mean = ((this.#memoryBytes ?? memoryBytes) + memoryBytes) / 2;
    this.#memoryByteSeconds += (mean * (at - this.#at)) / 1_000;
    this.#memoryBytes = memoryBytes;
    this.#cpuSeconds = usage?.cpuSeconds ?? this.#cpuSeconds;
    this.#at = at;
  }

  #isDue({ leastMs, mostMs, partOfAge }: Pace, last: number): boolean {
    const now = this.#now();
    const afterMs = (now - Date.parse(this.metered.startedAt)) * partOfAge;
    return now - last >= Math.min(Math.max(afterMs, leastMs), mostMs);
  }

  #now(): number {
    return performance.now() + this.#offset;
  }
}
