import { existsSync, readFileSync } from 'node:fs';
import { createSlipway } from '@slipway/client';
import { instanceOf } from '@slipway/infra';
import { expect, inject, test, vi } from 'vitest';
import { programs } from '../fixtures/agreement.ts';
import { containersIn } from '../fixtures/containers.ts';
import { killParts, otherProject } from '../fixtures/platform.ts';

const WITHIN = { timeout: 120_000, interval: 200 };
const MEASURE_EVERY_MS = 20;
const IS_V1 = existsSync('/sys/fs/cgroup/memory');

/** What a cgroup has used, by somebody who looks often and is not killed. */
class Measured implements Disposable {
  cpuSeconds = 0;
  readonly #memory: { at: number; bytes: number }[] = [];
  readonly #path: string;
  readonly #timer = setInterval(() => this.#measure(), MEASURE_EVERY_MS);

  constructor(engineId: string) {
    this.#path = `/slipway-${instanceOf(inject('checkoutFolder')).id}/${engineId}`;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** Of the time that its program ran: there is a cgroup before and after it. */
  memoryByteSeconds(startedAt: number, finishedAt: number): number {
    return this.#memory.slice(1).reduce((sum, { at, bytes }, index) => {
      const before = this.#memory[index] ?? { at, bytes };
      const ms = Math.min(at, finishedAt) - Math.max(before.at, startedAt);
      return sum + (Math.max(ms, 0) / 1_000) * ((before.bytes + bytes) / 2);
    }, 0);
  }

  #measure(): void {
    try {
      this.cpuSeconds = IS_V1
        ? Number(this.#read('cpuacct', 'cpuacct.usage')) / 1e9
        : Number(/^usage_usec (\d+)$/m.exec(this.#read('cpu', 'cpu.stat'))?.[1]) / 1e6;
      const stat = this.#read('memory', 'memory.stat');
      const inactive = Number(/^(?:total_)?inactive_file (\d+)$/m.exec(stat)?.[1]);
      const all = this.#read('memory', IS_V1 ? 'memory.usage_in_bytes' : 'memory.current');
      this.#memory.push({ at: Date.now(), bytes: Number(all) - inactive });
    } catch {
      // not there yet, or not any more
    }
  }

  #read(controller: string, name: string): string {
    const folder = IS_V1 ? `/sys/fs/cgroup/${controller}` : '/sys/fs/cgroup';
    return readFileSync(`${folder}${this.#path}/${name}`, 'utf8');
  }
}

/** A container in an organization of its own, and what somebody else measures of it. */
async function metered(name: string, script: string) {
  const project = await otherProject(name);
  const containers = containersIn(project);
  const slipway = createSlipway(project.api, { token: project.token });
  const made = await containers.create({ command: ['sh', '-c', script], start: false });
  const measured = new Measured(made.engineId);
  await containers.start(made);
  const { startedAt } = await containers.wait(made, 'running');

  async function used() {
    const { data } = await slipway.GET('/v1/organizations/{organization}/usage', {
      params: { path: project },
    });
    return data?.projects[0] ?? { cpuSeconds: 0, memoryByteSeconds: 0 };
  }
  return {
    ...{ made, containers, used },
    /** What it has used up to now: there are reports of later. */
    async isReported(): Promise<void> {
      for (const _ of ['under way already', 'of later']) {
        const { memoryByteSeconds: before } = await used();
        const isMore = async () => expect((await used()).memoryByteSeconds).toBeGreaterThan(before);
        await vi.waitFor(isMore, WITHIN);
      }
    },
    isRemoved: () =>
      vi.waitFor(async () => {
        const { state } = (await containers.get(made)) ?? { state: 'removed' };
        expect(state).toBe('removed');
      }, WITHIN),
    /** It has ended. */
    async usedAsMeasured(): Promise<void> {
      const { finishedAt } = (await containers.get(made)) ?? {};
      const memory = measured.memoryByteSeconds(
        Date.parse(startedAt ?? ''),
        finishedAt ? Date.parse(finishedAt) : Number.POSITIVE_INFINITY,
      );
      await vi.waitFor(async () => {
        const { cpuSeconds, memoryByteSeconds } = await used();
        const parts = [cpuSeconds / measured.cpuSeconds, memoryByteSeconds / memory];
        for (const part of parts) expect(Math.abs(part - 1), `${name} ${parts}`).toBeLessThan(0.01);
      }, WITHIN);
      measured[Symbol.dispose]();
      await containers.remove(made);
    },
  };
}

/** Holds more memory, and is busy. @param size as `head` has it */
const grow = (size: string): string => `n=$((n + 1)); head -c ${size} /dev/zero > /dev/shm/$n
  i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; sleep 0.2`;
const GROWN = `n=0; while [ $n -lt 20 ]; do ${grow('2m')}; done; echo grown`;

test('usage is what cgroups say, within 1 %, whatever is killed meanwhile', async () => {
  const grows = await metered(
    'grows',
    `trap isOver=1 HUP; while [ -z "$isOver" ]; do ${grow('512k')}; done; sleep 2`,
  );
  const leaves = await metered('leaves', `trap 'exit 0' HUP; ${GROWN}; sleep 3600 & wait`);
  const removed = await metered('removed', `${GROWN}; sleep 3600`);
  for (const { made, containers, isReported } of [leaves, removed]) {
    await containers.untilItSays(made, 'grown');
    await isReported();
  }
  const pids = await programs();
  const hangUp = ({ made }: typeof grows) => process.kill(pids.get(made.engineId) ?? 0, 'SIGHUP');

  const killed = killParts('agent');
  hangUp(leaves);
  await removed.containers.remove(removed.made);
  await killed;
  expect(await leaves.containers.ended(leaves.made)).toMatchObject({ exitCode: 0 });
  await removed.isRemoved();
  await grows.isReported();

  await killParts('agent', 'api', 'postgres', 'containerd', 'redis');
  await grows.isReported();
  hangUp(grows);
  expect(await grows.containers.ended(grows.made)).toMatchObject({ exitCode: 0 });

  for (const run of [grows, leaves, removed]) await run.usedAsMeasured();
});
