import { join } from 'node:path';
import type { NodeContext } from './node-context.ts';

/** What a node has of a container besides the engine's, by its names. */
export interface Place {
  /** its file */
  networkNamespace: string;
  cgroup: string;
  /** folder of its `ETC_FILES` */
  etc: string;
}

export function cgroupOf(engineId: string, cgroupParent: string): string {
  return `${cgroupParent}/${engineId}`;
}

export function placeOf(
  engineId: string,
  { cgroupParent, etcDir, network }: Pick<NodeContext, 'cgroupParent' | 'etcDir' | 'network'>,
): Place {
  return {
    networkNamespace: network.namespaceOf(engineId),
    cgroup: cgroupOf(engineId, cgroupParent),
    etc: join(etcDir, engineId),
  };
}
