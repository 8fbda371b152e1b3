import { Containers } from './containers.ts';
import { Content } from './content.ts';
import { type ExitListener, watchExits } from './exits.ts';
import { Images } from './images.ts';
import { Leases } from './leases.ts';
import { ContainerdRpc } from './rpc.ts';
import { Snapshots } from './snapshots.ts';
import { Tasks } from './tasks.ts';

/** What of containerd is ours: a namespace on its socket. */
export interface ContainerdSettings {
  socket: string;
  namespace: string;
  /** where runc keeps its state */
  runcRoot: string;
}

/** A node's container engine. */
export class Containerd {
  readonly containers: Containers;
  readonly tasks: Tasks;
  readonly snapshots: Snapshots;
  readonly content: Content;
  readonly images: Images;
  readonly leases: Leases;
  readonly #rpc: ContainerdRpc;

  constructor({ socket, namespace, runcRoot }: ContainerdSettings) {
    const rpc = new ContainerdRpc(socket, namespace);
    this.#rpc = rpc;
    this.containers = new Containers(rpc, runcRoot);
    this.tasks = new Tasks(rpc, runcRoot);
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
