import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import { join } from 'node:path';
import { type Endpoints, type Instance, toolsForTests } from '@slipway/infra';
import { openMetrics } from '@slipway/metrics';
import { digestOf, RegistryClient } from '@slipway/oci';
import { exec } from '@slipway/process';
import type { Containerd } from '../../apps/agent/src/containerd/containerd.ts';
import type { RuntimeSpec } from '../../apps/agent/src/containers/runtime-spec.ts';
import { ImagePuller, type LocalImage } from '../../apps/agent/src/images/image-puller.ts';
import { containerdOf } from '../fixtures/containerd.ts';
import { COMMAND, IMAGE, type Starter, timed } from './starter.ts';

/** Beside the platform's own, so that its agent does not clear what is no container of its. */
const NAMESPACE = 'bench';

/** What a container of the platform is made of. */
export async function specOf(instance: Instance, engineId: string): Promise<RuntimeSpec> {
  const containerd = containerdOf(instance, 'slipway');
  const record = await containerd.containers.get(engineId);
  containerd.close();
  if (record === null) throw new Error(`there is no container ${engineId}`);
  return JSON.parse(Buffer.from(record.spec.value).toString());
}

/**
 * The platform's containerd without the platform: the calls that a container costs whoever makes them,
 * and `ctr run`, which is a process for each.
 * @param ours of a container of ours: the calls are made for one like it
 */
export async function bareContainerd(
  instance: Instance,
  endpoints: Endpoints,
  ours: RuntimeSpec,
): Promise<{ calls: Starter; ctr: Starter } & AsyncDisposable> {
  const containerd = containerdOf(instance, NAMESPACE);
  const image = await pulled(containerd, endpoints);
  const ends = new Map<string, () => void>();
  const closing = new AbortController();
  const watching = containerd.watchExits(
    { onExit: (id) => ends.get(id)?.(), onGap() {} },
    closing.signal,
  );
  return {
    calls: callsTo(containerd, image, ours, (id) => new Promise((end) => ends.set(id, end))),
    ctr: await ctrRun(instance, image),
    async [Symbol.asyncDispose]() {
      closing.abort();
      await watching;
      containerd.close();
    },
  };
}

async function pulled(containerd: Containerd, { registry, token }: Endpoints): Promise<LocalImage> {
  const registryUrl = `http://${registry}`;
  const repository = `library/${IMAGE}`;
  const authorization = `Bearer ${token}`;
  const found = await new RegistryClient(registryUrl, authorization).manifest(repository, 'latest');
  if (found === null) throw new Error(`there is no ${repository}`);
  const puller = new ImagePuller(containerd, { registryUrl, metrics: openMetrics() });
  return puller.pull({ repository, digest: digestOf(found.content), authorization });
}

function callsTo(
  { leases, snapshots, containers, tasks }: Containerd,
  image: LocalImage,
  ours: RuntimeSpec,
  endOf: (id: string) => Promise<void>,
): Starter {
  return {
    async start() {
      const id = newId();
      const spec = onItsOwn(ours, id);
      const { ms } = await timed(async () => {
        const rootfs = await leases.during(async (lease) => {
          const mounts = await snapshots.prepare(id, image.snapshot, { lease });
          await containers.create({ id, image: image.name, labels: {}, spec });
          return mounts;
        });
        await tasks.create(id, rootfs, { stdout: '', stderr: '' });
        await tasks.start(id);
      });
      return { engineId: id, ms };
    },
    async remove(id) {
      const ended = endOf(id);
      await tasks.kill(id, constants.signals.SIGKILL);
      await ended;
      await tasks.delete(id);
      await containers.delete(id);
      await snapshots.remove(id);
    },
  };
}

/** In a network that leads nowhere, without what a node writes for a container of ours. */
function onItsOwn(spec: RuntimeSpec, id: string): object {
  const others = spec.linux.namespaces.filter(({ type }) => type !== 'network');
  return {
    ...spec,
    mounts: spec.mounts.filter(({ type }) => type !== 'bind'),
    linux: {
      ...spec.linux,
      cgroupsPath: `/${NAMESPACE}/${id}`,
      namespaces: [...others, { type: 'network' }],
    },
  };
}

async function ctrRun({ runDir }: Instance, { name }: LocalImage): Promise<Starter> {
  const file = (await toolsForTests(['ctr'])).fileOf('ctr');
  const address = ['--address', join(runDir, 'containerd.sock'), '--namespace', NAMESPACE];
  const ctr = (...args: string[]) => exec(file, [...address, ...args]);
  const options = ['--detach', '--null-io', '--runc-root', join(runDir, 'runc', NAMESPACE)];
  return {
    async start() {
      const id = newId();
      const { ms } = await timed(() => ctr('run', ...options, name, id, ...COMMAND));
      return { engineId: id, ms };
    },
    async remove(id) {
      await ctr('tasks', 'delete', '--force', id);
      await ctr('containers', 'delete', id);
    },
  };
}

function newId(): string {
  return randomBytes(32).toString('hex');
}
