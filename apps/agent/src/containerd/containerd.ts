import { Containers } from './containers.ts';
import { Content } from './content.ts';
import { type ExitListener, watchExits } from './exits.ts';
import { Images } from './images.ts';
import { Leases } from './leases.ts';
import { ContainerdRpc } from './rpc.ts';
import type { ContainerdSettings } from './settings.ts';
import { Snapshots } from './snapshots.ts';
import { Tasks } from './tasks.ts';

/** A node's container engine. */
export class Containerd {
  readonly containers: Containers;
  readonly tasks: Tasks;
  readonly snapshots: Snapshots;
  readonly content: Content;
  readonly images: Images;
  readonly leases: Leases;
  readonly #rpc: ContainerdRpc;

  constructor(settings: ContainerdSettings) {
    const { socket, namespace, runcRoot } = settings;
    const rpc = new ContainerdRpc(socket, namespace);
    this.#rpc = rpc;
    this.containers = new Containers(rpc, runcRoot);
    this.tasks = new Tasks(rpc, settings);
    this.snapshots = new Snapshots(rpc);
    this.content = new Content(rpc);
    this.images = new Images(rpc);
    this.leases = new Leases(rpc);
  }

  watchExits(listener: ExitListener, signal: AbortSignal): Promise<void> {
    return watchExits(this.#rpc, listener, signal);
  }

  close(): void {
    this.#rpc.close();
  }
}
