import { digestOf } from '@slipway/oci';

/**
 * What identifies each layer with all below it, the lowest first.
 * @param diffIds digests of the layers, uncompressed
 * @see OCI image-spec, config.md, "Layer ChainID"
 */
export function chainIdsOf(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}
