import type { Metered } from '../usage/meter.ts';
import type { BegunRun } from './labels.ts';
import type { NodeContext } from './node-context.ts';
import { cgroupOf } from './place.ts';

type Context = Pick<NodeContext, 'cgroupParent' | 'meters'>;

export function meterBegun(engineId: string, begun: BegunRun, context: Context): void {
  context.meters.begun(meteredRun(engineId, begun, context));
}

/** One that goes on. */
export function meterFound(engineId: string, begun: BegunRun, context: Context): void {
  context.meters.found(meteredRun(engineId, begun, context));
}

/** As long as the task is there it may be done again. @param endedAt null: nobody knows when */
export async function meterEnded(
  engineId: string,
  begun: BegunRun,
  endedAt: Date | null,
  context: Context,
): Promise<void> {
  if (begun.generation === 0) return;
  await context.meters.end(meteredRun(engineId, begun, context), endedAt);
}

function meteredRun(
  engineId: string,
  { generation, at }: BegunRun,
  { cgroupParent }: Context,
): Metered {
  const subject = { engineId, generation };
  return { subject, startedAt: at, cgroup: cgroupOf(engineId, cgroupParent) };
}
