import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { removeCgroup } from '../../cgroups/cgroup.ts';
import { mayHaveRunOut } from '../../cgroups/out-of-memory.ts';
import { Lines } from './lines.ts';
import { type SandboxSpec, sandboxSpec } from './sandbox-spec.ts';

export interface Sandbox extends SandboxSpec {
  /** made for it; `tmp` in it is its /var/tmp */
  folder: string;
  /** text of files in it, by their absolute paths */
  files: Readonly<Record<string, string>>;
}

export interface SandboxEnd {
  /** 137: it got SIGKILL */
  code: number;
  /** of memory; on cgroups v1 more cannot be said */
  mayHaveRunOut: boolean;
}

/** Where the node's programs have their files; links on a machine whose /usr is merged. */
const OF_PROGRAMS = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** To tell a registry by its certificate. */
const CERTIFICATES = '/etc/ssl/certs';
const ACCOUNTS = {
  '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
  '/etc/group': 'root:x:0:\n',
};

/**
 * Runs one of the node's programs as root of a small world: it sees /usr, what it is given, and
 * neither the node's processes nor its networks. All that it starts ends with it, it ends with this
 * process, and nothing of it is on the node afterwards but what it wrote into `folder` and `mounts`.
 * @param onLine gets what it writes, both streams as they came
 * @throws the signal's reason; Error when somebody else has killed it
 */
export async function runInSandbox(
  sandbox: Sandbox,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<SandboxEnd> {
  signal.throwIfAborted();
  await makeBundle(sandbox);
  const { folder } = sandbox;
  const child = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL'],
      // what runc starts would outlive it: not so in a PID namespace that ends with it
      ...['unshare', '--mount', '--propagation', 'private', '--pid', '--mount-proc', '--fork'],
      ...['--kill-child=SIGKILL', 'sh', '-c', 'exec "$@" 2>&1', 'sh'],
      ...['runc', '--root', join(folder, 'runc'), 'run', '--keep', '--bundle', folder, 'sandbox'],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const kill = (): boolean => child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  const lines = new Lines(onLine);
  const closed = once(child, 'close');
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      // who writes without end gets half of this thread at most
      const begun = performance.now();
      lines.add(chunk);
      await delay(performance.now() - begun);
    }
    const [code, killedBy] = await closed;
    lines.end();
    signal.throwIfAborted();
    if (code === null) throw new Error(`a sandbox was ended by ${killedBy}`);
    return { code, mayHaveRunOut: mayHaveRunOut(sandbox.cgroup) };
  } finally {
    signal.removeEventListener('abort', kill);
    await removeCgroup(sandbox.cgroup);
  }
}

async function makeBundle(sandbox: Sandbox): Promise<void> {
  const { folder } = sandbox;
  const root = join(folder, 'rootfs');
  await mkdir(join(folder, 'tmp'), { recursive: true });
  await mkdir(root);
  const folders: string[] = [];
  for (const path of [...OF_PROGRAMS, CERTIFICATES].filter((found) => existsSync(found))) {
    if (lstatSync(path).isSymbolicLink()) await symlink(readlinkSync(path), join(root, path));
    else folders.push(path);
  }
  await symlink('var/tmp', join(root, 'tmp'));
  for (const [path, text] of Object.entries({ ...ACCOUNTS, ...sandbox.files })) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text, { mode: 0o600 });
  }
  const spec = sandboxSpec(folder, sandbox, folders);
  await writeFile(join(folder, 'config.json'), JSON.stringify(spec));
}
