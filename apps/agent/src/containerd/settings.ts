/** Layers as folders over each other, which every kernel has. */
export const SNAPSHOTTER = 'overlayfs';
export const RUNTIME = 'io.containerd.runc.v2';

/** What of containerd is ours: a namespace on its socket. */
export interface ContainerdSettings {
  socket: string;
  namespace: string;
  /** the `state` of its configuration */
  stateDir: string;
  /** where runc keeps its state */
  runcRoot: string;
}
