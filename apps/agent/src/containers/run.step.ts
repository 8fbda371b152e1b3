import type { ContainerOrder } from '@slipway/contracts';
import { allOver } from '@slipway/process';
import type { ContainerRecord } from '../containerd/containers.ts';
import { isRefusal } from '../containerd/rpc.ts';
import type { Mount } from '../containerd/snapshots.ts';
import type { TaskOutput } from '../containerd/tasks.ts';
import { hostnameOf, writeEtcFiles } from './etc-files.ts';
import { cannotRun, startFailure } from './failure.ts';
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
  const asked = performance.now();
  try {
    const [rootfs, output] = await allOver([
      record === null ? makeContainer(order, context) : bringHere(record, context),
      makeSurroundings(order, context),
    ]);
    const run = await context.heavy(() => begin(order, { rootfs, output }, context));
    const durationMs = Math.round(performance.now() - asked);
    const { engineId, generation } = order;
    context.log.info({ engineId, generation, durationMs }, 'run began');
    return run;
  } catch (error) {
    if (cannotRun(error) !== null) await clear(order, context);
    throw error;
  }
}

/** One that was made when the instance had another folder, and so other names, or another filter. */
async function bringHere(record: ContainerRecord, context: NodeContext): Promise<Mount[]> {
  const { containers, snapshots } = context.containerd;
  const text = Buffer.from(record.spec.value).toString();
  const place = placeOf(record.id, context);
  const spec = renewed(JSON.parse(text), { place, seccomp: context.seccomp });
  if (JSON.stringify(spec) !== text) await containers.setSpec(record.id, spec);
  return snapshots.mounts(record.id);
}

/** What a run needs of the node besides the engine. */
async function makeSurroundings(
  { engineId, address }: ContainerOrder,
  context: NodeContext,
): Promise<TaskOutput> {
  const { network, outputs } = context;
  const [output] = await allOver([
    outputs.open(engineId),
    network.open(engineId),
    writeEtcFiles(placeOf(engineId, context).etc, hostnameOf(engineId), address),
  ]);
  return output;
}

async function begin(
  { engineId, generation, address, name }: ContainerOrder,
  { rootfs, output }: { rootfs: readonly Mount[]; output: TaskOutput },
  { containerd, network }: NodeContext,
): Promise<BegunRun> {
  const endpoint = { ...address, names: [name, hostnameOf(engineId)] };
  try {
    // its program begins later, and finds the network whole
    await allOver([
      containerd.tasks.create(engineId, rootfs, output),
      network.attach(engineId, endpoint),
    ]);
    // From here on the program may have begun: a run is not begun twice.
    const run: BegunRun = { generation, at: new Date().toISOString() };
    await containerd.containers.setLabels(engineId, begunLabels(run, endpoint));
    await containerd.tasks.start(engineId);
    return run;
  } catch (error) {
    throw isRefusal(error) ? startFailure(error) : error; // what came of it is seen at the next look
  }
}

/** Of a run that cannot begin. */
async function clear({ engineId }: ContainerOrder, context: NodeContext): Promise<void> {
  const { containerd, network, outputs } = context;
  await containerd.tasks.delete(engineId).catch(() => {});
  await network.detach(engineId);
  await outputs.close(engineId, FORGET_LOG_WITHIN_MS);
}
