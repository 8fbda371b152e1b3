import type { Address } from '@slipway/contracts';

const PREFIX_LENGTH = 24;
const GATEWAY = 1;
/** The numbers of a subnet's containers: without the gateway's, the first and the last. */
export const FIRST_HOST = 2;
export const LAST_HOST = 254;
/** Of a node's subnets. */
export const LAST_INDEX = 255;

/** @param range the node's, `a.b.0.0/16` */
export function addressIn(
  range: string,
  subnet: { id: string; index: number },
  host: number,
): Address {
  const [a, b] = range.split('.');
  const network = `${a}.${b}.${subnet.index}`;
  return {
    ...{ subnetId: subnet.id, index: subnet.index, prefixLength: PREFIX_LENGTH },
    ...{ gateway: `${network}.${GATEWAY}`, address: `${network}.${host}` },
  };
}
