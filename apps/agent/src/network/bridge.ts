import { existsSync, writeFileSync } from 'node:fs';
import type { Address } from '@slipway/contracts';
import { runScript } from '@slipway/process';
import { hardwareAddress } from './hardware-address.ts';
import { WITHIN } from './settings.ts';

/** What `ip -json link` says of an interface. */
interface Link {
  ifname: string;
  ifalias?: string;
}

/** Makes a subnet's bridge, with the node's own address in it. Nothing when it is there. */
export async function ensureBridge(name: string, subnet: Address): Promise<void> {
  const { subnetId, gateway, prefixLength } = subnet;
  const alias = `${subnetId} ${gateway}/${prefixLength}`;
  const found = await aliasOf(name);
  if (found === alias) return;
  if (found !== null && !(await removeIfUnused(name))) {
    throw new Error(`the bridge ${name} is still that of "${found}"`);
  }
  // Its own hardware address: else it changes with what is plugged in, and neighbours lose it.
  await ip(['link', 'add', name, 'address', hardwareAddress(gateway), 'type', 'bridge']);
  const ipv6 = `/proc/sys/net/ipv6/conf/${name}/disable_ipv6`;
  if (existsSync(ipv6)) writeFileSync(ipv6, '1');
  await ip(['address', 'add', `${gateway}/${prefixLength}`, 'dev', name]);
  await ip(['link', 'set', name, 'up']);
  await ip(['link', 'set', name, 'alias', alias]); // last: it says that the rest is done
}

/** @returns `gateway`: the node's own address in it; null: it is not whole */
export async function bridgesWith(
  prefix: string,
): Promise<{ name: string; gateway: string | null }[]> {
  const all = await links('type', 'bridge');
  return all
    .filter(({ ifname }) => ifname.startsWith(prefix))
    .map(({ ifname, ifalias }) => {
      return { name: ifname, gateway: / ([\d.]+)\//.exec(ifalias ?? '')?.[1] ?? null };
    });
}

/** @returns false when something is plugged in */
export async function removeIfUnused(name: string): Promise<boolean> {
  if ((await links('master', name)).length > 0) return false;
  await ip(['link', 'delete', name]);
  return true;
}

/** null: there is no such interface */
async function aliasOf(name: string): Promise<string | null> {
  const shown = await runScript('ip -json link show "$1" 2>/dev/null || :', [name], WITHIN);
  const [found]: Link[] = shown === '' ? [] : JSON.parse(shown);
  return found === undefined ? null : (found.ifalias ?? '');
}

async function links(...which: string[]): Promise<Link[]> {
  const stdout = await ip(['-json', 'link', 'show', ...which]);
  return stdout.trim() === '' ? [] : JSON.parse(stdout);
}

function ip(args: readonly string[]): Promise<string> {
  return runScript('ip "$@"', args, WITHIN);
}
