import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { toolsForTests } from '@slipway/infra';
import { createLogger } from '@slipway/log';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { removeCgroup } from '../../cgroups/cgroup.ts';
import { RegistryPassages } from './registry-passages.ts';
import { runInSandbox } from './sandbox.ts';

const { path } = await toolsForTests(['runc', 'ip', 'busybox']);
vi.stubEnv('PATH', path);
const log = createLogger({ name: 'test', level: 'silent' });
const never = new AbortController().signal;

let folder: string;
let cgroup: string;
let registry: Server;
let passages: RegistryPassages;
let runs = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-sandbox-'));
  cgroup = `/${basename(folder)}`;
  registry = createServer((_, answer) => answer.end('the registry')).listen(0, '127.0.0.1');
  await new Promise((listening) => registry.on('listening', listening));
  const { port } = registry.address() as AddressInfo;
  passages = await RegistryPassages.begin(`http://localhost:${port}`, folder, log);
});

afterAll(async () => {
  await passages?.close();
  registry?.close();
  await removeCgroup(cgroup);
  await rm(folder, { recursive: true });
});

/** A script of a sandbox's only program; what it says, and its code. */
async function run(
  script: string,
  { signal = never, onLine = (_: string) => {} } = {},
): Promise<{ code: number; mayHaveRunOut: boolean; said: string[] }> {
  runs++;
  const own = join(folder, String(runs));
  const given = join(own, 'given');
  await mkdir(given, { recursive: true });
  writeFileSync(join(given, 'file'), 'given\n');
  const said: string[] = [];
  const sandbox = {
    ...{ folder: join(own, 'sandbox'), cgroup: join(cgroup, String(runs)) },
    files: { '/etc/hosts': passages.hosts, '/etc/app/settings': 'of the sandbox' },
    mounts: [
      { from: given, to: '/given', isWritable: false },
      { from: own, to: '/own', isWritable: true },
    ],
    command: ['bash', '-c', script],
  };
  const heard = (line: string) => {
    said.push(line);
    onLine(line);
  };
  const end = await passages.use((namespace) => {
    return runInSandbox({ ...sandbox, namespace }, heard, signal);
  });
  return { ...end, said };
}

/** What there is of it on the machine. */
function traces(): string[] {
  return globSync(`/sys/fs/cgroup/{.,*}${cgroup}/*/`);
}

/** In a cgroup, v1's and v2's. */
const MEMORY = ['memory/memory.limit_in_bytes', 'memory.max'];
const PIDS = ['pids/pids.max', 'pids.max'];

/** Runs under less than the usual limit, which it says first: to reach that takes long. */
function runLowered(
  limit: readonly string[],
  value: number,
  script: string,
): ReturnType<typeof run> {
  const lower = (): void => {
    for (const file of traces().flatMap((cgroup) =>
      limit.map((name) => join(cgroup, basename(name))),
    )) {
      if (existsSync(file)) writeFileSync(file, String(value));
    }
  };
  const say = `cat ${limit.map((file) => `/sys/fs/cgroup/${file}`).join(' ')} 2>/dev/null`;
  const begin = `${say}; until [ "$(${say})" = ${value} ]; do :; done`;
  return run(`${begin}\n${script}`, { onLine: lower });
}

test('a program sees what it is given, and writes only where it may', async () => {
  const { code, said } = await run(`
    cat /given/file /etc/app/settings; echo
    echo written > /own/out
    for file in /x /etc/x /usr/x /given/x /sys/x; do echo x > $file; done 2>&1 | grep -vc 'Read-only'
    ls -d /* | tr '\n' ' '`);
  expect(said).toEqual([
    ...['given', 'of the sandbox', '0'],
    expect.stringMatching(/^(?!.*(home|opt|srv|mnt|boot)).*\/given .*\/own /),
  ]);
  expect(code).toBe(0);
  expect(readFileSync(join(folder, String(runs), 'out'), 'utf8')).toBe('written\n');
  expect(traces()).toEqual([]);
});

test('its lines are in the order in which it wrote them, on whichever stream', async () => {
  const { said } = await run('for i in $(seq 300); do echo out $i; echo error $i >&2; done');
  const written = Array.from({ length: 300 }, (_, at) => [`out ${at + 1}`, `error ${at + 1}`]);
  expect(said).toEqual(written.flat());
});

test('it sees no process of the machine, and no device', async () => {
  const { said } = await run(`
    ls -d /proc/[0-9]* | wc -l
    mknod /dev/disk b 8 0 && dd if=/dev/disk of=/dev/null count=1 2>&1 | head -1
    echo 1 2>/dev/null > /proc/sys/kernel/sysrq || echo no`);
  expect(said).toEqual([
    expect.stringMatching(/^[1-4]$/),
    expect.stringContaining('Operation not permitted'),
    'no',
  ]);
});

test('the registry answers it by its name, and nobody else does', async () => {
  const ask = (port: number) => `exec 3<>/dev/tcp/localhost/${port} &&
    printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && tail -1 <&3; exec 3>&-`;
  const other = createServer((_, answer) => answer.end('another')).listen(0, '127.0.0.1');
  await new Promise((listening) => other.on('listening', listening));
  const { port } = other.address() as AddressInfo;
  const answers = await run(`ls /sys/class/net; ${ask(Number(passages.registry.port))}`);
  expect(answers.said).toEqual(['lo', 'the registry']);
  const refused = await run(ask(port));
  expect(refused.said.join()).toContain('Connection refused');
  other.close();
});

test('nobody else is on its network, another sandbox neither', async () => {
  const listen = `busybox nc -l -p 9 <<< mine & until grep -q ':0009 ' /proc/net/tcp*; do sleep .01; done`;
  const ask = `timeout 5 busybox nc 127.0.0.1 9 < /dev/null || echo nobody`;
  const alone = await run(`${listen}; ${ask}`);
  expect(alone.said).toEqual(['mine']);
  const { promise: listens, resolve } = Promise.withResolvers<string>();
  const stop = new AbortController();
  const other = run(`${listen}; echo listens; wait`, { signal: stop.signal, onLine: resolve });
  await listens;
  const { said } = await run(ask);
  expect(said.at(-1)).toBe('nobody');
  stop.abort(new Error('stopped'));
  await expect(other).rejects.toThrow('stopped');
  await passages.use(async (namespace) => {
    expect(basename(namespace)).toMatch(/^builds-[12]$/);
  });
});

test('what it has started ends with it, and both with its signal', async () => {
  const marker = `${3_000_000 + process.pid}`;
  const isAlive = () =>
    globSync('/proc/[0-9]*/cmdline').some((file) => {
      return existsSync(file) && readFileSync(file, 'utf8').includes(`sleep\0${marker}`);
    });
  const start = `setsid sleep ${marker} & echo begun; exec 1>&2`;
  expect(await run(`${start}; exit 3`)).toMatchObject({ code: 3, said: ['begun'] });
  expect(isAlive()).toBe(false);
  const stop = new AbortController();
  const running = run(`${start}; sleep ${marker}`, {
    ...{ signal: stop.signal, onLine: () => stop.abort(new Error('stopped')) },
  });
  await expect(running).rejects.toThrow('stopped');
  expect(isAlive()).toBe(false);
  expect(traces()).toEqual([]);
});

test('that it ran out of memory is known, and what is killed by others is no end of its own', async () => {
  const eat = '{ tail /dev/zero & wait $!; } 2> /dev/null; echo $?';
  const hungry = await runLowered(MEMORY, 64 * 1024 ** 2, eat);
  const said = [`${2 * 1024 ** 3}`, '137'];
  expect(hungry).toMatchObject({ code: 0, said, mayHaveRunOut: true });
  expect(await run('true')).toMatchObject({ code: 0, mayHaveRunOut: false });
  const kill = () => {
    const [pid] = globSync('/proc/[0-9]*/cmdline')
      .filter((file) => existsSync(file) && readFileSync(file, 'utf8').startsWith('unshare\0'))
      .filter((file) => readFileSync(file, 'utf8').includes(join(folder, String(runs))))
      .map((file) => Number(file.split('/')[2]));
    process.kill(pid ?? expect.unreachable(), 'SIGKILL');
  };
  await expect(run('echo begun; sleep 1000', { onLine: kill })).rejects.toThrow('SIGKILL');
  expect(traces()).toEqual([]);
});

test('its limits are for all that it starts', async () => {
  const script = `for i in $(seq 100); do sleep 1000 & done 2>&1 |
    grep -m1 -o 'retry: Resource temporarily unavailable'`;
  const { said } = await runLowered(PIDS, 50, script);
  expect(said[0]).toBe('4096');
  expect(said.join()).toContain('unavailable');
});
