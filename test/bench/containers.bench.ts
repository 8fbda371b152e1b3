import { join } from 'node:path';
import type { RuntimeSpec } from '../../apps/agent/src/containers/runtime-spec.ts';
import type { Checkout } from '../fixtures/checkout.ts';
import { bareContainerd, specOf } from './bare-containerd.ts';
import { bareQueue } from './bare-queue.ts';
import {
  type Bench,
  type Comparison,
  Figures,
  median,
  type Round,
  rounds,
  type Side,
} from './comparison.ts';
import { type Cycles, cyclesPerSecond, type Starter, startsInTurn } from './starter.ts';
import { ownTimes, throughTheApi } from './through-the-api.ts';

const ROUNDS = 5;
const STARTS = 20;
const CYCLES = { alone: { count: 20, sideBySide: 1 }, together: { count: 40, sideBySide: 4 } };
const CALLS = 'the calls to containerd';

export const containers: Bench = {
  about: `Containers of an image that the node has, beside the calls to containerd that each of them
costs: only ours are remembered, have a network, names and a log.`,
  async run(checkout, say) {
    const { instance, stateDir } = checkout;
    const endpoints = await checkout.endpoints();
    const ours = throughTheApi(endpoints);
    await using bare = await bareContainerd(instance, endpoints, await specOfOne(checkout, ours));
    await using queue = bareQueue(join(instance.runDir, 'redis/redis.sock'));
    const cyclesOf = async (cycles: Cycles, { sides }: Round): Promise<Record<Side, number>> => {
      const found = { ours: 0, theirs: 0 };
      for (const side of sides) {
        found[side] = await cyclesPerSecond(side === 'ours' ? ours : bare.calls, cycles);
      }
      return found;
    };
    const rows = {
      agent: row('start, by the agent', CALLS, { unit: 'ms', target: { ratio: 1.2 } }),
      ctr: row('start, by the agent', 'ctr run', { unit: 'ms' }),
      api: row('start, by the API', CALLS, { unit: 'ms', target: { difference: 40 } }),
      dispatch: row('command, outbox to agent', 'BullMQ', { unit: 'ms', target: { figure: 5 } }),
      alone: cycles(CYCLES.alone),
      together: cycles(CYCLES.together),
    };
    for (const round of rounds(ROUNDS)) {
      say(round.name);
      const starts = await startsInTurn({ ours, calls: bare.calls, ctr: bare.ctr }, STARTS);
      const own = await Promise.all(
        starts.ours.map(({ engineId }) => ownTimes(stateDir, engineId)),
      );
      const calls = median(starts.calls.map(({ ms }) => ms));
      const agent = median(own.map(({ agentMs }) => agentMs));
      const found = {
        agent: { ours: agent, theirs: calls },
        ctr: { ours: agent, theirs: median(starts.ctr.map(({ ms }) => ms)) },
        api: { ours: median(starts.ours.map(({ ms }) => ms)), theirs: calls },
        dispatch: {
          ours: median(own.map(({ dispatchMs }) => dispatchMs)),
          theirs: median(await inTurn(STARTS, () => queue.send())),
        },
        alone: await cyclesOf(CYCLES.alone, round),
        together: await cyclesOf(CYCLES.together, round),
      };
      if (!round.counts) continue;
      for (const [name, { figures }] of Object.entries(rows)) {
        const { ours, theirs } = found[name as keyof typeof rows];
        figures.ours.push(ours);
        figures.theirs.push(theirs);
      }
    }
    return Object.values(rows);
  },
};

function row(what: string, peer: string, more: Pick<Comparison, 'unit' | 'target'>): Comparison {
  const better = more.unit === 'ms' ? 'lower' : 'higher';
  return { what, peer, better, ...more, figures: new Figures() };
}

function cycles({ sideBySide }: Cycles): Comparison {
  const more = { unit: '/s', target: { ratio: 0.8 } };
  return row(`start and remove, ${sideBySide} at a time`, CALLS, more);
}

async function specOfOne({ instance }: Checkout, ours: Starter): Promise<RuntimeSpec> {
  const { engineId } = await ours.start();
  const spec = await specOf(instance, engineId);
  await ours.remove(engineId);
  return spec;
}

async function inTurn<T>(count: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let done = 0; done < count; done++) results.push(await work());
  return results;
}
