import { type CallOptions, type ContainerdRpc, unlessAbsent, unlessPresent } from './rpc.ts';
import { SNAPSHOTTER } from './settings.ts';

export interface Mount {
  type: string;
  source: string;
  options: string[];
}

/** Filesystems in layers: committed ones never change, active ones are a container's own. */
export class Snapshots {
  readonly #rpc: ContainerdRpc;

  constructor(rpc: ContainerdRpc) {
    this.#rpc = rpc;
  }

  async has(key: string): Promise<boolean> {
    const info = await unlessAbsent(
      this.#rpc.call('snapshots.v1.Snapshots/Stat', ['SnapshotRequest', 'StatSnapshotResponse'], {
        ...{ snapshotter: SNAPSHOTTER, key },
      }),
    );
    return info !== null;
  }

  /**
   * An active one on top of `parent` ('': of nothing), the present one when there is one.
   * @param lease keeps it, also when there was one
   */
  async prepare(key: string, parent: string, { lease }: { lease: string }): Promise<Mount[]> {
    const made = await unlessPresent(
      this.#rpc.call<{ mounts: Mount[] }>(
        'snapshots.v1.Snapshots/Prepare',
        ['PrepareSnapshotRequest', 'MountsResponse'],
        { snapshotter: SNAPSHOTTER, key, parent },
        { lease },
      ),
    );
    if (made !== null) return made.mounts;
    // only the lease of an earlier attempt keeps it, which ends at any time, or has ended
    await this.#rpc.call('leases.v1.Leases/AddResource', ['AddResourceRequest', 'Empty'], {
      ...{ id: lease, resource: { id: key, type: `snapshots/${SNAPSHOTTER}` } },
    });
    return this.mounts(key);
  }

  async mounts(key: string): Promise<Mount[]> {
    const { mounts } = await this.#rpc.call<{ mounts: Mount[] }>(
      'snapshots.v1.Snapshots/Mounts',
      ['MountsRequest', 'MountsResponse'],
      { snapshotter: SNAPSHOTTER, key },
    );
    return mounts;
  }

  /** The active one `key` becomes `name`. Nothing when another made that meanwhile. */
  async commit(key: string, name: string, options: CallOptions = {}): Promise<void> {
    await unlessPresent(
      this.#rpc.call(
        'snapshots.v1.Snapshots/Commit',
        ['CommitSnapshotRequest', 'Empty'],
        { snapshotter: SNAPSHOTTER, key, name },
        options,
      ),
    );
  }

  /** Nothing when it is gone already. */
  async remove(key: string): Promise<void> {
    await unlessAbsent(
      this.#rpc.call('snapshots.v1.Snapshots/Remove', ['SnapshotRequest', 'Empty'], {
        ...{ snapshotter: SNAPSHOTTER, key },
      }),
    );
  }

  /** Unpacks a layer of the content store. @returns the digest of what was in it, uncompressed */
  async apply(
    layer: { mediaType: string; digest: string; size: number },
    mounts: readonly Mount[],
  ): Promise<string> {
    const { applied } = await this.#rpc.call<{ applied: { digest: string } }>(
      'diff.v1.Diff/Apply',
      ['ApplyRequest', 'ApplyResponse'],
      { diff: { media_type: layer.mediaType, digest: layer.digest, size: layer.size }, mounts },
    );
    return applied.digest;
  }
}
