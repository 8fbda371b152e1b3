import type { ContainerOrder } from '@slipway/contracts';
import type { ContainerRecord } from '../containerd/containers.ts';
import { isRefusal } from '../containerd/rpc.ts';
import { startFailure } from './failure.ts';
import { type BegunRun, begunLabels } from './labels.ts';
import { makeContainer } from './make.step.ts';
import type { NodeContext } from './node-context.ts';
import { placeOf } from './place.ts';
import { moved } from './runtime-spec.ts';

const FORGET_LOG_WITHIN_MS = 0;

/** The newest run: its container when there is none yet, its task, its start. */
export async function runContainer(
  order: ContainerOrder,
  record: ContainerRecord | null,
  context: NodeContext,
): Promise<BegunRun> {
  if (record === null) await makeContainer(order, context);
  else await bringHere(record, context);
  return context.heavy(() => begin(order, context));
}

/** One that was made when the instance had another folder, and so other names. */
async function bringHere(record: ContainerRecord, context: NodeContext): Promise<void> {
  const text = Buffer.from(record.spec.value).toString();
  const spec = moved(JSON.parse(text), placeOf(record.id, context));
  if (JSON.stringify(spec) !== text) await context.containerd.containers.setSpec(record.id, spec);
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
