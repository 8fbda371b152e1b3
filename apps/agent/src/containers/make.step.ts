import type { ContainerOrder } from '@slipway/contracts';
import { signalNumber } from '@slipway/process';
import { isRefusal } from '../containerd/rpc.ts';
import type { Mount } from '../containerd/snapshots.ts';
import type { LocalImage } from '../images/image-puller.ts';
import { hostnameOf } from './etc-files.ts';
import { CannotRun } from './failure.ts';
import { stopSignalLabel } from './labels.ts';
import { layersOf, readLayered } from './layered-file.ts';
import type { NodeContext } from './node-context.ts';
import { placeOf } from './place.ts';
import { report } from './report.ts';
import { runtimeSpec } from './runtime-spec.ts';
import { userOf } from './user.ts';

/**
 * Pulls the image and makes the container's filesystem and record. Done twice it changes nothing.
 * @returns the filesystem
 */
export async function makeContainer(order: ContainerOrder, context: NodeContext): Promise<Mount[]> {
  const { containerd } = context;
  const { engineId } = order;
  const image = await pull(order, context);
  if (order.spec.probe !== undefined) void tellPulled(engineId, context);
  // Until the record refers to it, only the lease keeps the snapshot from the garbage collector.
  return containerd.leases.during(async (lease) => {
    const mounts = await containerd.snapshots.prepare(engineId, image.snapshot, { lease });
    const layers = layersOf(mounts);
    const user = userOf(order.spec.user ?? image.config.config?.User ?? '', {
      passwd: readLayered(layers, '/etc/passwd') ?? '',
      group: readLayered(layers, '/etc/group') ?? '',
    });
    await containerd.containers.create({
      id: engineId,
      image: image.name,
      labels: stopSignalLabel(signalNumber(image.config.config?.StopSignal ?? '')),
      spec: runtimeSpec({
        ...{ user, image: image.config, spec: order.spec },
        hostname: hostnameOf(engineId),
        place: placeOf(engineId, context),
        seccomp: context.seccomp,
      }),
    });
    return mounts;
  });
}

/** What comes next does not wait for it, and says it too. */
async function tellPulled(engineId: string, context: NodeContext): Promise<void> {
  try {
    await report(engineId, { state: 'pulled' }, context);
  } catch (err) {
    context.log.debug({ err, engineId }, 'nobody was told of a pull');
  }
}

async function pull({ image }: ContainerOrder, { images }: NodeContext): Promise<LocalImage> {
  try {
    return await images.pull(image);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const message =
      'A layer of the image cannot be unpacked: it is damaged, or of an unknown kind.';
    throw new CannotRun('image-unusable', message, { cause: error });
  }
}
