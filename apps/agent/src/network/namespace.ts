import { existsSync, writeFileSync } from 'node:fs';
import { runScript } from '@slipway/process';
import { WITHIN } from './settings.ts';

/** With `lo`, and without IPv6 on what comes after it. */
const MAKE = `unshare --net="$1" sh -ec '
  default=/proc/sys/net/ipv6/conf/default/disable_ipv6
  [ ! -e $default ] || echo 1 > $default
  exec ip link set lo up'`;

/** The kernel would delete the interface too, some time after the namespace's last process is gone. */
const REMOVE = `[ -z "$2" ] || nsenter --net="$1" ip link delete "$2" || :
umount "$1" || :
rm -f "$1"`;

/** A network namespace that lasts without a process: its file is a mount. */
export async function makeNamespace(file: string): Promise<void> {
  writeFileSync(file, '');
  await runScript(MAKE, [file], WITHIN);
}

/** With the interface that leads out, if one does. Nothing when it is gone already, whole or in part. */
export async function removeNamespace(file: string, interfaceName = ''): Promise<void> {
  if (existsSync(file)) await runScript(REMOVE, [file, interfaceName], WITHIN);
}
