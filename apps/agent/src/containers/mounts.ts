import { join } from 'node:path';
import { ETC_FILES } from './etc-files.ts';

const mount = (destination: string, type: string, options: readonly string[]) => ({
  ...{ destination, type, source: type, options },
});
const SAFE = ['nosuid', 'noexec', 'nodev'];
const MOUNTS = [
  mount('/proc', 'proc', SAFE),
  mount('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
  mount('/dev/pts', 'devpts', [
    'nosuid',
    'noexec',
    'newinstance',
    'ptmxmode=0666',
    'mode=0620',
    'gid=5',
  ]),
  mount('/dev/shm', 'tmpfs', [...SAFE, 'mode=1777', 'size=65536k']),
  mount('/dev/mqueue', 'mqueue', SAFE),
  mount('/sys', 'sysfs', [...SAFE, 'ro']),
  mount('/sys/fs/cgroup', 'cgroup', [...SAFE, 'relatime', 'ro']),
];

/** @param etc the folder of its `ETC_FILES` */
export function mountsOf(etc: string) {
  const files = ETC_FILES.map((name) => ({
    ...mount(`/etc/${name}`, 'bind', ['rbind', 'rprivate', ...SAFE]),
    source: join(etc, name),
  }));
  return [...MOUNTS, ...files];
}
