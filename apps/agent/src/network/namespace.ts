import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { exec } from '@slipway/process';
import { WITHIN } from './settings.ts';

/** What a new namespace gets: `lo`, and no IPv6 on what comes after it. */
const SETUP = `ip link set lo up
default=/proc/sys/net/ipv6/conf/default/disable_ipv6
[ ! -e $default ] || echo 1 > $default`;

/** A network namespace that lasts without a process: its file is a mount. */
export async function makeNamespace(file: string): Promise<void> {
  writeFileSync(file, '');
  await exec('unshare', [`--net=${file}`, 'sh', '-ec', SETUP], WITHIN);
}

/** With the interface that leads out. Nothing when it is gone already, whole or in part. */
export async function removeNamespace(file: string, interfaceName: string): Promise<void> {
  if (!existsSync(file)) return;
  const mayFail = { allowFailure: true, ...WITHIN };
  // The kernel would do it too, some time after the namespace's last process is gone.
  await exec('nsenter', [`--net=${file}`, 'ip', 'link', 'delete', interfaceName], mayFail);
  await exec('umount', [file], mayFail);
  rmSync(file, { force: true });
}
