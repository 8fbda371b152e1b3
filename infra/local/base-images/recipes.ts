import { existsSync } from 'node:fs';
import { exec } from '@slipway/process';
import { type Env, inheritedEnv } from '../env.ts';
import type { Toolbox } from '../packages/index.ts';
import type { Entry } from './layer.ts';
import { programWithLibraries } from './program.ts';

/** What a base image is made of; each image's layers lie on `below`'s. */
export interface Recipe {
  name: string;
  below: string | null;
  entries: readonly Entry[];
  env: Readonly<Record<string, string>>;
  command: readonly string[];
}

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The images that stand in for Docker Hub's of the same names, made of this machine's own parts. */
export async function recipes(env: Env, tools: Toolbox): Promise<Recipe[]> {
  return [
    {
      name: 'busybox',
      below: null,
      entries: [...system(), ...(await busybox(env, tools.fileOf('busybox')))],
      env: { PATH },
      command: ['sh'],
    },
    {
      name: 'node',
      below: 'busybox',
      entries: await node(env),
      env: { PATH, NODE_VERSION: process.versions.node },
      command: ['node'],
    },
  ];
}

/** What any program expects of a system. */
function system(): Entry[] {
  const folder = (path: string, mode = 0o755): Entry => ({ type: 'directory', path, mode });
  return [
    ...['dev', 'etc', 'home', 'proc', 'sys', 'usr', 'var'].map((path) => folder(path)),
    folder('root', 0o700),
    folder('tmp', 0o1777),
    folder('var/tmp', 0o1777),
    ...accounts([]),
    text('etc/nsswitch.conf', ['passwd: files', 'group: files', 'hosts: files dns']),
  ];
}

function text(path: string, lines: readonly string[]): Entry {
  return { type: 'text', path, text: `${lines.join('\n')}\n` };
}

/** Users and groups. @param more with the names of their groups the same */
function accounts(more: readonly { name: string; id: number }[]): Entry[] {
  const users = more.map(({ name, id }) => `${name}:x:${id}:${id}::/home/${name}:/bin/sh`);
  const groups = more.map(({ name, id }) => `${name}:x:${id}:`);
  return [
    text('etc/passwd', [
      'root:x:0:0:root:/root:/bin/sh',
      'nobody:x:65534:65534:nobody:/nonexistent:/bin/false',
      ...users,
    ]),
    text('etc/group', ['root:x:0:', 'tty:x:5:', 'nogroup:x:65534:', ...groups]),
  ];
}

async function busybox(env: Env, from: string): Promise<Entry[]> {
  const program = await programWithLibraries(env, from, 'bin/busybox');
  const listed = await exec(from, ['--list-full'], { env: inheritedEnv(env) });
  const applets = listed.stdout.split('\n').filter((path) => path !== '' && path !== 'bin/busybox');
  return [
    ...program,
    ...applets.map((path): Entry => ({ type: 'symlink', path, target: '/bin/busybox' })),
  ];
}

/** The user that Docker Hub's image has, for programs that need no root. */
const NODE_USER = { name: 'node', id: 1000 };

async function node(env: Env): Promise<Entry[]> {
  const certificates: Entry[] = existsSync(CERTIFICATES)
    ? [{ type: 'file', path: CERTIFICATES.slice(1), from: CERTIFICATES, mode: 0o644 }]
    : [];
  return [
    ...(await programWithLibraries(env, process.execPath, 'usr/local/bin/node')),
    { type: 'symlink', path: 'usr/local/bin/nodejs', target: 'node' },
    ...certificates,
    ...accounts([NODE_USER]),
    { type: 'directory', path: 'home/node', mode: 0o755, owner: NODE_USER.id },
  ];
}
