import { BlockList } from 'node:net';
import { exec } from '@slipway/process';
import type { Toolbox } from './packages/index.ts';

/**
 * A `10.b.0.0/16` that no route, no address of this machine and nobody in `used` has to do with.
 * @param id six hexadecimal digits: where the search begins, so that instances seldom meet
 */
export async function freeRange(
  id: string,
  wanted: string | null,
  used: readonly string[],
  tools: Toolbox,
): Promise<string> {
  const taken = [...used, ...(await networksOfMachine(tools))];
  const first = Number.parseInt(id, 16);
  const others = Array.from({ length: 256 }, (_, index) => `10.${(first + index) % 256}.0.0/16`);
  const free = [...(wanted === null ? [] : [wanted]), ...others].find(
    (range) => !taken.some((network) => overlap(range, network)),
  );
  if (free !== undefined) return free;
  throw new Error(
    "No range 10.b.0.0/16 is free on this machine for containers' addresses: see `ip route` and `ip address`.",
  );
}

/** Two networks have something in common when one has the other's first address. */
function overlap(one: string, other: string): boolean {
  return contains(one, other) || contains(other, one);
}

function contains(network: string, other: string): boolean {
  const list = new BlockList();
  const [address = '', prefixLength] = network.split('/');
  list.addSubnet(address, Number(prefixLength ?? 32), 'ipv4');
  return list.check(other.split('/')[0] ?? '', 'ipv4');
}

/** What it has routes to, and its addresses' networks. */
async function networksOfMachine(tools: Toolbox): Promise<string[]> {
  const ip = async (...args: string[]) =>
    JSON.parse((await exec(tools.fileOf('ip'), ['-json', '-4', ...args])).stdout || '[]');
  const routes: { dst: string }[] = await ip('route', 'show', 'table', 'all');
  const links: { addr_info: { local: string; prefixlen: number }[] }[] = await ip('address');
  const addresses = links.flatMap(({ addr_info }) =>
    addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
  );
  return [...routes.map(({ dst }) => dst), ...addresses].filter((network) => network !== 'default');
}
