import type { NodeContext } from './node-context.ts';

/** What the kernel has of a container on this node, by its names. */
export interface Place {
  /** its file */
  networkNamespace: string;
  cgroup: string;
}

export function placeOf(
  engineId: string,
  { cgroupParent, network }: Pick<NodeContext, 'cgroupParent' | 'network'>,
): Place {
  return {
    networkNamespace: network.namespaceOf(engineId),
    cgroup: `${cgroupParent}/${engineId}`,
  };
}
