import type { API_CALLS } from '@slipway/contracts';
import type { Logger } from '@slipway/log';
import type { Caller } from '@slipway/rpc';
import type { Containerd } from '../containerd/containerd.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { NodeNetwork } from '../network/node-network.ts';
import type { Meters } from '../usage/meters.ts';
import type { ContainerMetrics } from './container-metrics.ts';
import type { Outputs } from './outputs.ts';
import type { Seccomp } from './seccomp.ts';

/** What the steps work with: this node's engine, and whom they tell. */
export interface NodeContext {
  nodeId: string;
  containerd: Containerd;
  network: NodeNetwork;
  images: ImagePuller;
  api: Caller<typeof API_CALLS>;
  outputs: Outputs;
  meters: Meters;
  /** the cgroup above those of all containers: `/slipway-<instance>` */
  cgroupParent: string;
  /** where a folder is for each container, of its `ETC_FILES` */
  etcDir: string;
  /** which system calls containers may make */
  seccomp: Seccomp;
  /** bounds how much of what is heavy is done side by side */
  heavy<T>(work: () => Promise<T>): Promise<T>;
  log: Logger;
  metrics: ContainerMetrics;
}
