import type { ContainerOrder } from '@slipway/contracts';
import { isRefusal } from '../containerd/rpc.ts';
import { startFailure } from './failure.ts';
import { type BegunRun, begunLabels } from './labels.ts';
import { makeContainer } from './make.step.ts';
import type { NodeContext } from './node-context.ts';

const FORGET_LOG_WITHIN_MS = 0;

/** The newest run: its container when there is none yet, its task, its start. */
export async function runContainer(
  order: ContainerOrder,
  isMade: boolean,
  context: NodeContext,
): Promise<BegunRun> {
  if (!isMade) await makeContainer(order, context);
  return context.heavy(() => begin(order, context));
}

async function begin(
  { engineId, generation, address }: ContainerOrder,
  { containerd, logs, network }: NodeContext,
): Promise<BegunRun> {
  await network.attach(engineId, address);
  const output = await logs.openLog({ engineId });
  const rootfs = await containerd.snapshots.mounts(engineId);
  try {
    await containerd.tasks.create(engineId, rootfs, output);
    // From here on the program may have begun: a run is not begun twice.
    const run: BegunRun = { generation, at: new Date().toISOString() };
    await containerd.containers.setLabels(engineId, begunLabels(run, address.address));
    await containerd.tasks.start(engineId);
    return run;
  } catch (error) {
    if (!isRefusal(error)) throw error; // what came of it is seen at the next look
    await containerd.tasks.delete(engineId).catch(() => {});
    await network.detach(engineId);
    await logs.closeLog({ engineId, timeoutMs: FORGET_LOG_WITHIN_MS });
    throw startFailure(error);
  }
}
