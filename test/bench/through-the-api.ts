import { type Endpoints, waitFor } from '@slipway/infra';
import { containersIn } from '../fixtures/containers.ts';
import { logLines } from '../fixtures/log-lines.ts';
import { COMMAND, IMAGE, type Starter, timed } from './starter.ts';

const LOGGED_WITHIN = { timeoutMs: 60_000 };

/** As a tenant does it. */
export function throughTheApi(endpoints: Endpoints): Starter {
  const { create, wait, remove } = containersIn(endpoints);
  const ids = new Map<string, string>();
  return {
    async start() {
      const { ms, result } = await timed(async () =>
        wait(await create({ image: IMAGE, command: COMMAND }), 'running'),
      );
      ids.set(result.engineId, result.id);
      return { engineId: result.engineId, ms };
    },
    async remove(engineId) {
      const container = { id: ids.get(engineId) ?? '' };
      ids.delete(engineId);
      await remove(container);
      await wait(container, 'removed');
    },
  };
}

/** What the platform says of a start. */
export interface OwnTimes {
  /** from the outbox to the agent */
  dispatchMs: number;
  /** from when that knows what to start to the program's begin */
  agentMs: number;
}

/** By the lines that its processes write; a container's first are of its start. */
export function ownTimes(stateDir: string, engineId: string): Promise<OwnTimes> {
  const find = async (): Promise<OwnTimes | null> => {
    const lines = await logLines(stateDir, engineId);
    const of = (wanted: string) => lines.find(({ msg }) => msg === wanted);
    const [dispatched, command, began] = [of('dispatched'), of('command'), of('run began')];
    if (dispatched === undefined || command === undefined || began === undefined) return null;
    return {
      dispatchMs: Number(dispatched.waitedMs) + Number(command.waitedMs),
      agentMs: Number(began.durationMs),
    };
  };
  return waitFor('the lines of a start', find, LOGGED_WITHIN);
}
