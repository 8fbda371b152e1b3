import { existsSync, writeFileSync } from 'node:fs';
import type { Address } from '@slipway/contracts';
import { exec } from '@slipway/process';
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
  const found = await linkOf(name);
  if (found?.ifalias === alias) return;
  if (found !== null && !(await removeIfUnused(name))) {
    throw new Error(`the bridge ${name} is still that of "${found.ifalias}"`);
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

async function linkOf(name: string): Promise<Link | null> {
  const shown = await exec('ip', ['-json', 'link', 'show', name], {
    ...{ allowFailure: true, ...WITHIN },
  });
  return shown.code === 0 ? (JSON.parse(shown.stdout)[0] ?? null) : null;
}

async function links(...which: string[]): Promise<Link[]> {
  const stdout = await ip(['-json', 'link', 'show', ...which]);
  return stdout.trim() === '' ? [] : JSON.parse(stdout);
}

async function ip(args: readonly string[]): Promise<string> {
  return (await exec('ip', args, WITHIN)).stdout;
}
