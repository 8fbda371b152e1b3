import { chmodSync, lchownSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Instance, serviceUidOf } from '../instance.ts';

/**
 * How to run a program that must not be root (PostgreSQL refuses to be) on data that may lie under
 * a directory only root may enter (/root has mode 700).
 *
 * In a mount namespace of its own the data appears at `mountPoint`, under the run directory; the
 * mount goes with the process, however that ends. There /etc/passwd is a file of ours with one
 * more user, since initdb looks its uid up: no user is added to the machine.
 */
export interface Confined {
  /** the data's path, as the program sees it */
  mountPoint: string;
  /** the command that becomes the program: same pid, no wrapper stays */
  argv(program: string, ...args: string[]): string[];
  /** the path of a program of an unpacked package, as the program itself must be called */
  programPath(file: string): string;
}

const SCRIPT = `set -eu
data=$1 mount_point=$2 packages=$3 packages_point=$4 passwd=$5 uid=$6
shift 6
mount --bind "$data" "$mount_point"
mount --bind "$packages" "$packages_point"
mount --bind "$passwd" /etc/passwd
cd "$mount_point"
exec setpriv --reuid="$uid" --regid="$uid" --clear-groups --no-new-privs -- "$@"`;

/** @param packagesRoot where packages were unpacked (also under `stateDir`) */
export function confine(instance: Instance, name: string, packagesRoot: string): Confined {
  const uid = serviceUidOf(instance);
  const data = join(instance.stateDir, name);
  const mountPoint = join(instance.runDir, `${name}-data`);
  const packagesPoint = join(instance.runDir, 'packages');
  for (const dir of [data, mountPoint, packagesPoint, packagesRoot])
    mkdirSync(dir, { recursive: true });
  chmodSync(instance.runDir, 0o711);
  chmodSync(packagesRoot, 0o755);
  giveTo(uid, data);
  chmodSync(data, 0o700);
  const passwd = join(instance.stateDir, 'passwd');
  writeFileSync(
    passwd,
    `root:x:0:0:root:/root:/bin/sh\nslipway:x:${uid}:${uid}:Slipway:${mountPoint}:/usr/sbin/nologin\n`,
    { mode: 0o644 },
  );
  return {
    mountPoint,
    programPath: (file) =>
      file.startsWith(`${packagesRoot}/`)
        ? join(packagesPoint, file.slice(packagesRoot.length))
        : file,
    argv: (program, ...args) => [
      ...['unshare', '--mount', '--propagation', 'private', 'sh', '-c', SCRIPT, 'confined'],
      ...[data, mountPoint, packagesRoot, packagesPoint, passwd, String(uid)],
      ...[program, ...args],
    ],
  };
}

/** The folder last: a checkout that was moved, and so has another user, is given over whole or again. */
function giveTo(uid: number, folder: string): void {
  if (lstatSync(folder).uid === uid) return;
  if (lstatSync(folder).isDirectory()) {
    for (const name of readdirSync(folder)) giveTo(uid, join(folder, name));
  }
  lchownSync(folder, uid, uid);
}
