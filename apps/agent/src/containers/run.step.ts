import type { ContainerOrder } from '@slipway/contracts';
import { isRefusal } from '../containerd/rpc.ts';
import { startFailure } from './failure.ts';
import { begunLabels } from './labels.ts';
import { makeContainer } from './make.step.ts';
import type { NodeContext } from './node-context.ts';

const FORGET_LOG_WITHIN_MS = 0;

/** The newest run: its container when there is none yet, its task, its start. */
export async function runContainer(
  order: ContainerOrder,
  isMade: boolean,
  context: NodeContext,
): Promise<void> {
  if (!isMade) await makeContainer(order, context);
  await context.heavy(() => begin(order, context));
}

async function begin(
  { engineId, generation }: ContainerOrder,
  { containerd, logs }: NodeContext,
): Promise<void> {
  const output = await logs.openLog({ engineId });
  const rootfs = await containerd.snapshots.mounts(engineId);
  try {
    await containerd.tasks.create(engineId, rootfs, output);
    // From here on the program may have begun: a run is not begun twice.
    await containerd.containers.setLabels(engineId, begunLabels(generation));
    await containerd.tasks.start(engineId);
  } catch (error) {
    if (!isRefusal(error)) throw error; // what came of it is seen at the next look
    await containerd.tasks.delete(engineId).catch(() => {});
    await logs.closeLog({ engineId, timeoutMs: FORGET_LOG_WITHIN_MS });
    throw startFailure(error);
  }
}
