import type { ContainerOrder } from '@slipway/contracts';
import type { ContainerRecord } from '../containerd/containers.ts';
import { isRefusal } from '../containerd/rpc.ts';
import { hostnameOf, writeEtcFiles } from './etc-files.ts';
import { startFailure } from './failure.ts';
import { type BegunRun, begunLabels } from './labels.ts';
import { makeContainer } from './make.step.ts';
import type { NodeContext } from './node-context.ts';
import { placeOf } from './place.ts';
import { renewed } from './runtime-spec.ts';

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

/** One that was made when the instance had another folder, and so other names, or another filter. */
async function bringHere(record: ContainerRecord, context: NodeContext): Promise<void> {
  const text = Buffer.from(record.spec.value).toString();
  const place = placeOf(record.id, context);
  const spec = renewed(JSON.parse(text), { place, seccomp: context.seccomp });
  if (JSON.stringify(spec) !== text) await context.containerd.containers.setSpec(record.id, spec);
}

async function begin(
  { engineId, generation, address, name }: ContainerOrder,
  context: NodeContext,
): Promise<BegunRun> {
  const { containerd, network, outputs } = context;
  const hostname = hostnameOf(engineId);
  const endpoint = { ...address, names: [name, hostname] };
  await Promise.all([
    network.attach(engineId, endpoint),
    writeEtcFiles(placeOf(engineId, context).etc, hostname, address),
  ]);
  const output = await outputs.open(engineId);
  const rootfs = await containerd.snapshots.mounts(engineId);
  try {
    await containerd.tasks.create(engineId, rootfs, output);
    // From here on the program may have begun: a run is not begun twice.
    const run: BegunRun = { generation, at: new Date().toISOString() };
    await containerd.containers.setLabels(engineId, begunLabels(run, endpoint));
    await containerd.tasks.start(engineId);
    return run;
  } catch (error) {
    if (!isRefusal(error)) throw error; // what came of it is seen at the next look
    await containerd.tasks.delete(engineId).catch(() => {});
    await network.detach(engineId);
    await outputs.close(engineId, FORGET_LOG_WITHIN_MS);
    throw startFailure(error);
  }
}
