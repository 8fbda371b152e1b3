import { type ContainerdRpc, encode, unlessAbsent, unlessPresent } from './rpc.ts';
import { RUNTIME, SNAPSHOTTER } from './settings.ts';

/** A container's record: it lasts over its runs. */
export interface ContainerRecord {
  id: string;
  labels: Record<string, string>;
  snapshot_key: string;
  /** JSON of an OCI runtime-spec */
  spec: { value: Uint8Array };
}

const RESPONSE = 'ContainerResponse';
/** @see containerd, `typeurl`: JSON of the OCI runtime-spec */
const SPEC_URL = 'types.containerd.io/opencontainers/runtime-spec/1/Spec';

export class Containers {
  readonly #rpc: ContainerdRpc;
  readonly #runcRoot: string;

  constructor(rpc: ContainerdRpc, runcRoot: string) {
    this.#rpc = rpc;
    this.#runcRoot = runcRoot;
  }

  async get(id: string): Promise<ContainerRecord | null> {
    const answer = await unlessAbsent(
      this.#rpc.call<{ container: ContainerRecord }>(
        'containers.v1.Containers/Get',
        ['GetContainerRequest', RESPONSE],
        { id },
      ),
    );
    return answer?.container ?? null;
  }

  /** One by one: with 10 kB of spec each, many do not fit into one message. */
  async list(): Promise<ContainerRecord[]> {
    const messages: AsyncIterable<{ container: ContainerRecord }> = this.#rpc.serverStream(
      'containers.v1.Containers/ListStream',
      ['ListContainersRequest', 'ListContainerMessage'],
      {},
    );
    const records: ContainerRecord[] = [];
    for await (const { container } of messages) records.push(container);
    return records;
  }

  /** Its root filesystem is the snapshot of the same name. Nothing when it is there already. */
  async create(container: {
    id: string;
    image: string;
    labels: Record<string, string>;
    spec: object;
  }): Promise<void> {
    const { id, image, labels, spec } = container;
    const record = {
      ...{ id, image, labels, snapshotter: SNAPSHOTTER, snapshot_key: id },
      runtime: { name: RUNTIME, options: runcOptions(this.#runcRoot) },
      spec: anyOfSpec(spec),
    };
    await unlessPresent(
      this.#rpc.call('containers.v1.Containers/Create', ['CreateContainerRequest', RESPONSE], {
        container: record,
      }),
    );
  }

  async setLabels(id: string, labels: Record<string, string>): Promise<void> {
    const paths = Object.keys(labels).map((name) => `labels.${name}`);
    await this.#update({ id, labels }, paths);
  }

  /** Of the next task. */
  async setSpec(id: string, spec: object): Promise<void> {
    await this.#update({ id, spec: anyOfSpec(spec) }, ['spec']);
  }

  /** Nothing when it is gone already. */
  async delete(id: string): Promise<void> {
    await unlessAbsent(
      this.#rpc.call('containers.v1.Containers/Delete', ['DeleteContainerRequest', 'Empty'], {
        id,
      }),
    );
  }

  async #update(container: object, paths: readonly string[]): Promise<void> {
    await this.#rpc.call('containers.v1.Containers/Update', ['UpdateContainerRequest', RESPONSE], {
      ...{ container, update_mask: { paths } },
    });
  }
}

function anyOfSpec(spec: object): object {
  return { type_url: SPEC_URL, value: Buffer.from(JSON.stringify(spec)) };
}

/** Given with the container and with each task: the runtime reads the one, its shim the other. */
export function runcOptions(root: string): object {
  return { type_url: 'containerd.runc.v1.Options', value: encode('RuncOptions', { root }) };
}
