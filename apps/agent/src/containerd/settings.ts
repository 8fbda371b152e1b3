/** Layers as folders over each other, which every kernel has. */
export const SNAPSHOTTER = 'overlayfs';
export const RUNTIME = 'io.containerd.runc.v2';
