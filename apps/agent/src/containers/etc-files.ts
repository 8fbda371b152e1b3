import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Address } from '@slipway/contracts';

/** What a node writes for a container. As with Docker its program may change them, until its next run. */
export const ETC_FILES = ['hostname', 'hosts', 'resolv.conf'] as const;

/** As Docker has it. */
export function hostnameOf(engineId: string): string {
  return engineId.slice(0, 12);
}

/** In place of those of an earlier run: neither their text nor their mode stays. */
export async function writeEtcFiles(
  folder: string,
  hostname: string,
  { address, gateway }: Address,
): Promise<void> {
  const texts: Record<(typeof ETC_FILES)[number], string> = {
    hostname: `${hostname}\n`,
    hosts: `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n${address}\t${hostname}\n`,
    'resolv.conf': `nameserver ${gateway}\noptions ndots:0\n`,
  };
  await removeEtcFiles(folder);
  await mkdir(folder, { recursive: true });
  await Promise.all(ETC_FILES.map((name) => writeFile(join(folder, name), texts[name])));
}

export async function removeEtcFiles(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
