import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { buildsIn } from '../fixtures/builds.ts';
import { containersIn } from '../fixtures/containers.ts';
import { freshImage } from '../fixtures/fresh-image.ts';
import { flushRedis, pidOf, platform } from '../fixtures/platform.ts';

/* Containers as a tenant has them: through the generated client, on a running platform. */

const builds = buildsIn(platform());
const containers = containersIn(platform());
const { create, sh, get, wait, ended, logs, logStream, start, stop, restart, kill, remove } =
  containers;
const { untilItSays } = containers;

/** What comes of a stream, by and by. */
function read(stream: AsyncIterable<string>) {
  let text = '';
  const ended = (async () => {
    for await (const piece of stream) text += piece;
  })();
  return { ended, text: () => text };
}

test('a container runs to its end: exit code, times, and all that it wrote', async () => {
  const made = await sh('echo out; echo err >&2; exit 3');
  const container = await ended(made);
  expect(container).toMatchObject({ state: 'exited', exitCode: 3, reason: 'error', generation: 1 });
  const { createdAt, startedAt, finishedAt } = container;
  expect([createdAt, startedAt, finishedAt].toSorted()).toEqual([createdAt, startedAt, finishedAt]);
  expect((await logs(made)).split('\n').toSorted()).toEqual(['', 'err', 'out']);
  const records = (await logs(made, 'application/x-ndjson')).trim().split('\n');
  expect(records.map((record) => JSON.parse(record))).toContainEqual({
    ...{ time: expect.any(String), stream: 'stderr', line: 'err', cursor: expect.any(String) },
  });
});

test('a log is read from any line on, in part, and with times', async () => {
  const made = await sh(
    'for i in 1 2 3; do echo out $i; sleep 0.05; echo err $i >&2; sleep 0.05; done',
  );
  await ended(made);
  const text = (query: object) => logs(made, 'text/plain', query);
  expect(await text({})).toBe('out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n');
  expect(await text({ stream: 'stderr' })).toBe('err 1\nerr 2\nerr 3\n');
  expect(await text({ tail: 2 })).toBe('out 3\nerr 3\n');
  expect(await text({ tail: 0, follow: true })).toBe('');
  expect(await text({ tail: 1, timestamps: true })).toMatch(/^\d{4}-\d\d-\d\dT\S+Z err 3\n$/);
  const records = (await logs(made, 'application/x-ndjson'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const [, , third, fourth] = records;
  expect(await text({ after: third.cursor })).toBe('err 2\nout 3\nerr 3\n');
  expect(await text({ since: third.time, until: fourth.time })).toBe('out 2\nerr 2\n');
  const refused = await logStream(made, { tail: -1, since: 'yesterday', after: 'x' })
    .next()
    .catch(String);
  for (const field of ['tail', 'since', 'after']) expect(refused).toContain(`query.${field}`);
});

test('who follows a log has each line as it comes, and the end with the program’s', async () => {
  process.kill(pidOf('agent'), 'SIGSTOP');
  const made = await sh(
    'trap "echo bye; exit" TERM; n=0; while :; do n=$((n+1)); echo $n; sleep 0.02; done',
  );
  // before there is anything to be read
  const following = read(logStream(made, { follow: true }));
  process.kill(pidOf('agent'), 'SIGCONT');
  await expect.poll(() => following.text(), { timeout: 60_000 }).toContain('20\n');
  await stop(made);
  await following.ended;
  const numbers = following.text().trim().split('\n');
  expect(numbers.pop()).toBe('bye');
  expect(numbers).toEqual(numbers.map((_, index) => String(index + 1)));
  const failed = await create({ command: ['/nothing'] });
  await read(logStream(failed, { follow: true })).ended;
});

test('a client of server-sent events that was cut off goes on where it was', async () => {
  const made = await sh(
    'trap exit TERM; for i in 1 2 3 4 5 6; do echo $i; done; while :; do sleep 0.1; done',
  );
  await untilItSays(made, '6');
  const events = { accept: 'text/event-stream' };
  const first = read(logStream(made, { follow: true }, events));
  await expect.poll(() => first.text(), { timeout: 60_000 }).toContain('"line":"3"');
  const seen = /id: (\S+)\ndata: .*"line":"3"/.exec(first.text())?.[1] ?? '';
  const rest = read(logStream(made, { follow: true }, { ...events, 'last-event-id': seen }));
  await stop(made);
  await Promise.all([first.ended, rest.ended]);
  const lines = [...rest.text().matchAll(/^data: (.*)$/gm)].map(([, data = '']) =>
    JSON.parse(data),
  );
  expect(lines.map(({ line }) => line)).toEqual(['4', '5', '6', undefined]);
  expect(rest.text()).toMatch(/event: end\ndata: \{\}\n\n$/);
});

test('many short ones at once all end well, and nothing that they wrote is lost', async () => {
  const made = await Promise.all(
    Array.from({ length: 20 }, (_, index) => sh(`echo out ${index}; echo err ${index} >&2`)),
  );
  for (const [index, container] of made.entries()) {
    expect(await ended(container)).toMatchObject({ exitCode: 0, reason: 'completed' });
    const lines = (await logs(container)).trim().split('\n').toSorted();
    expect(lines).toEqual([`err ${index}`, `out ${index}`]);
  }
  for (const container of made) await remove(container);
  for (const container of made) await wait(container, 'removed');
});

test('environment, user and folder are the image’s, or the container’s own', async () => {
  const script = 'echo $GREETING $(id -u) $(pwd) $HOME';
  const own = { env: { GREETING: 'hi' }, user: 'node', workingDir: '/made/here', image: 'node' };
  const made = await sh(script, own);
  await ended(made);
  expect(await logs(made)).toBe('hi 1000 /made/here /home/node\n');
});

test('limits hold, and a program sees them', async () => {
  const memoryBytes = 64 * 1024 * 1024;
  const command = ['node', '-p', 'process.constrainedMemory()'];
  const seen = await create({ image: 'node', command, memoryBytes });
  const hungry = await sh('x=x; while :; do x=$x$x; done', { memoryBytes });
  const half = await sh('cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu.max', {
    cpus: 0.5,
  });
  const many = await sh('for i in 1 2 3 4 5 6; do sleep 1 & done; wait', { pids: 3 });
  expect(await ended(hungry)).toMatchObject({ exitCode: 137, reason: 'oom-killed' });
  await ended(seen);
  expect((await logs(seen)).trim()).toBe(String(memoryBytes));
  await ended(many);
  expect(await logs(many)).toContain("can't fork");
  await ended(half); // one of the files is there, as the node has cgroups v1 or v2
  expect(await logs(half)).toMatch(/^50000( 100000)?$/m);
});

test('a program cannot gain privileges, see the node’s processes, or change its kernel', async () => {
  const made = await sh(`exec 2>&1 # or its lines may change places with the others
    ps | wc -l
    mount -t tmpfs none /mnt 2>/dev/null || mkdir /x && mount -t tmpfs none /x || echo no mount
    echo 1 > /proc/sys/kernel/hostname || echo no sysctl
    cat /proc/kcore | head -c1 | wc -c
    grep NoNewPrivs /proc/self/status`);
  await ended(made);
  const said = await logs(made);
  expect(Number.parseInt(said, 10)).toBeLessThan(6);
  expect(said).toContain('no mount');
  expect(said).toContain('no sysctl');
  expect(said).toMatch(/^0$/m);
  expect(said).toMatch(/NoNewPrivs:\s+1/);
});

test('system calls are filtered: no namespaces, mounts or kernel log, not even for root', async () => {
  const made = await sh(`grep Seccomp /proc/self/status
    unshare -U true || unshare -r true || unshare -n true || echo no namespace
    mount -t tmpfs none /tmp || echo no mount
    dmesg >/dev/null || echo no kernel log`);
  await ended(made);
  const said = await logs(made);
  expect(said).toMatch(/^Seccomp:\s+2$/m);
  expect(said).toMatch(/^Seccomp_filters:\s+[1-9]/m);
  expect(said).toMatch(/^unshare: .*: Operation not permitted$/m);
  for (const failed of ['no namespace', 'no mount', 'no kernel log']) {
    expect(said).toContain(`${failed}\n`);
  }
});

test.runIf(process.arch === 'x64')(
  'a program cannot call the kernel by its 32-bit door',
  async () => {
    const getpidBy32 = 'b814000000cd80'; // mov eax, 20; int 0x80
    const exitBy64 = 'b83c00000031ff0f05'; // mov eax, 60; xor edi, edi; syscall
    const run = async (code: string) => {
      const script = `echo ${elf64(code)} | base64 -d > /x; chmod +x /x; exec /x`;
      return ended(await sh(script));
    };
    expect(await run(exitBy64)).toMatchObject({ exitCode: 0 });
    const { SIGSEGV, SIGSYS } = constants.signals;
    const { exitCode } = await run(getpidBy32 + exitBy64);
    // SIGSEGV where the machine itself has no such door: some hypervisors have none
    expect([SIGSYS, SIGSEGV]).toContain((exitCode ?? 0) - 128);
  },
);

/** The smallest program that has this code, in base64. @see elf(5) */
function elf64(code: string): string {
  const header = `7f454c46020101000000000000000000 02003e0001000000 7800400000000000
    4000000000000000 0000000000000000 00000000 4000 3800 0100 0000 0000 0000`;
  const segment = `01000000 05000000 0000000000000000 0000400000000000 0000400000000000
    0001000000000000 0001000000000000 0010000000000000`; // read and executed at 0x400000, 256 bytes
  return Buffer.from((header + segment + code).replace(/\s/g, ''), 'hex').toString('base64');
}

test('what programs ordinarily do works under the filter: threads, children, raw sockets', async () => {
  const script = `
    const { Worker } = require('node:worker_threads');
    new Worker('require("node:worker_threads").parentPort.postMessage("a thread")', { eval: true })
      .on('message', console.log);
    require('node:child_process').execFile('ping', ['-c1', '127.0.0.1'], (error, out) => {
      console.log(error ?? out);
    });
    require('node:fs').writeFileSync('/tmp/file', 'a file');
    require('node:fs/promises').readFile('/tmp/file', 'utf8').then(console.log);`;
  const made = await create({ image: 'node', command: ['node', '-e', script] });
  expect(await ended(made)).toMatchObject({ exitCode: 0 });
  const said = await logs(made);
  for (const worked of ['a thread', 'a file', '1 packets received']) expect(said).toContain(worked);
});

test('what cannot begin fails with its reason', async () => {
  const cases: [Parameters<typeof create>[0], string, RegExp][] = [
    [{ command: ['/nothing'] }, 'command-not-found', /"\/nothing"/],
    [{ command: ['nothing'] }, 'command-not-found', /"nothing"/],
    [{ command: ['/etc/passwd'] }, 'command-not-executable', /"\/etc\/passwd"/],
    [{ command: ['sh'], user: 'bob' }, 'user-not-found', /"bob"/],
    [{ command: ['sh'], user: '0:bobs' }, 'user-not-found', /"bobs"/],
    [{ command: [] }, 'command-missing', /has a command/],
    [{ command: ['sh'], workingDir: '/etc/passwd' }, 'start-failed', /\/etc\/passwd/],
  ];
  for (const [body, reason, message] of cases) {
    const failed = await ended(await create(body));
    expect(failed).toMatchObject({ state: 'failed', exitCode: null, reason });
    expect(failed.message).toMatch(message);
    expect(failed.message).not.toContain('.slipway');
  }
});

test('a stop asks first: the program’s own exit code is kept', async () => {
  const made = await sh('trap "echo bye; exit 7" TERM; echo ready; while :; do sleep 0.1; done');
  await untilItSays(made, 'ready');
  expect((await remove(made, false)).response.status).toBe(409);
  await stop(made);
  expect(await ended(made)).toMatchObject({ exitCode: 7, reason: 'stopped' });
  expect(await logs(made)).toBe('ready\nbye\n');
});

test('a program that does not listen is ended when its time is up, or at once when nobody waits', async () => {
  const deaf = 'trap "" TERM; echo ready; while :; do sleep 0.1; done';
  const all = await Promise.all([sh(deaf), sh(deaf), sh(deaf), sh(deaf)]);
  const [patient, hurried, killed, removed] = all;
  for (const one of all) await untilItSays(one, 'ready');
  await stop(patient, 2_000);
  for (const one of [hurried, killed, removed]) await stop(one, 3_600_000);
  expect(await get(removed)).toMatchObject({ state: 'stopping' });
  await stop(hurried, 100);
  await kill(killed);
  await remove(removed);
  await wait(removed, 'removed');
  for (const one of [patient, hurried, killed]) {
    expect(await ended(one)).toMatchObject({ exitCode: 137, reason: 'stopped' });
  }
});

test('signals reach the program, its own stop signal among them', async () => {
  const { state } = await builds.ended('quits', 'FROM busybox\nSTOPSIGNAL SIGQUIT');
  expect(state).toBe('succeeded');
  const traps = 'trap "echo hup" HUP; trap "echo usr1; exit 4" USR1; trap "echo quit; exit 5" QUIT';
  const script = `${traps}; echo ready; while :; do sleep 0.05; done`;
  const [made, quitting] = await Promise.all([sh(script), sh(script, { image: 'quits' })]);
  await untilItSays(quitting, 'ready');
  await stop(quitting);
  expect(await ended(quitting)).toMatchObject({ exitCode: 5, reason: 'stopped' });
  await untilItSays(made, 'ready');
  expect((await kill(made, 'HUP')).response.status).toBe(202);
  await untilItSays(made, 'hup');
  expect(await get(made)).toMatchObject({ state: 'running' });
  await kill(made, '10');
  expect(await ended(made)).toMatchObject({ exitCode: 4, reason: 'error' });
  expect(await logs(made)).toBe('ready\nhup\nusr1\n');
  expect((await kill(made, 'HUP')).response.status).toBe(409);
});

test('a restart stops the program and runs it again, with its files and its log', async () => {
  const made = await sh(
    'echo run >> /runs; wc -l < /runs; trap "echo bye; exit" TERM; while :; do sleep 0.05; done',
  );
  await untilItSays(made, '1');
  expect((await restart(made)).data).toMatchObject({ state: 'restarting', generation: 2 });
  await untilItSays(made, 'bye\n2\n');
  expect(await wait(made, 'running', 2)).toMatchObject({ generation: 2, exitCode: null });
  await stop(made);
  await ended(made, 2);
  await restart(made);
  await untilItSays(made, '3\n');
  expect(await logs(made)).toBe('1\nbye\n2\nbye\n3\n');
  await remove(made);
});

test('a container keeps its files from run to run, and its log goes on', async () => {
  const made = await sh('echo x >> /runs; wc -l < /runs');
  await ended(made);
  for (const generation of [2, 3]) {
    await start(made);
    expect(await ended(made, generation)).toMatchObject({ generation, exitCode: 0 });
  }
  expect(await logs(made)).toBe('1\n2\n3\n');
});

test('a restart policy runs a program again that failed, and who follows its log has all of it', async () => {
  const made = await sh('echo x >> /runs; wc -l < /runs; [ $(wc -l < /runs) = 3 ]', {
    restartPolicy: 'on-failure',
  });
  const following = read(logStream(made, { follow: true }));
  expect(await ended(made, 3)).toMatchObject({ exitCode: 0, generation: 3, restartCount: 2 });
  await following.ended;
  expect(following.text()).toBe('1\n2\n3\n');
});

test('what always runs again does not after a stop, nor after a signal to end; nor what cannot begin', async () => {
  const always = { restartPolicy: 'always' };
  const unending = 'trap "exit 3" INT; echo ready; while :; do sleep 0.05; done';
  const [stopped, interrupted] = [await sh(unending, always), await sh(unending, always)];
  const crashing = await sh('exit 4', always);
  const impossible = await create({ command: ['/nothing'], ...always });
  expect(await ended(impossible)).toMatchObject({ state: 'failed', restartCount: 0 });
  for (const made of [stopped, interrupted]) await untilItSays(made, 'ready');
  await stop(stopped, 0);
  expect(await ended(stopped)).toMatchObject({ reason: 'stopped', generation: 1 });
  await kill(interrupted, 'INT');
  expect(await ended(interrupted)).toMatchObject({ exitCode: 3, generation: 1 });

  expect(await wait(crashing, 'restarting', 4)).toMatchObject({ exitCode: 4, reason: 'error' });
  await stop(crashing);
  expect(await ended(crashing)).toMatchObject({ state: 'exited' });
});

test('one that is not started has its files, and can be started', async () => {
  const made = await sh('echo begun', { start: false });
  expect(await wait(made, 'created', 0)).toMatchObject({ generation: 0, startedAt: null });
  await start(made);
  expect(await ended(made)).toMatchObject({ exitCode: 0 });
});

test('an image that has a layer several times runs, also when another with that layer comes too', async () => {
  const made = ['repeated', 'again'].map(async (image) => {
    await freshImage(platform(), image, { times: 20 });
    return create({ image, command: ['true'] });
  });
  for (const one of made) expect(await ended(await one)).toMatchObject({ exitCode: 0 });
});

test('an image that was deleted before the node had it fails the run, and says so', async () => {
  const { remove: deleteImage } = await freshImage(platform(), 'deleted');
  process.kill(pidOf('agent'), 'SIGSTOP');
  const made = await create({ image: 'deleted', command: ['true'] }).finally(async () => {
    await deleteImage();
    process.kill(pidOf('agent'), 'SIGCONT');
  });
  expect(await ended(made)).toMatchObject({ state: 'failed', reason: 'image-not-found' });
});

test('a container goes on while agent, containerd and log process die, and its end is known', async () => {
  const made = await sh(
    'trap "exit 5" TERM; n=0; while :; do n=$((n+1)); echo $n; sleep 0.01; done',
  );
  await untilItSays(made, '10\n');
  const kill = async (...names: string[]): Promise<number[]> => {
    for (const name of names) process.kill(pidOf(name), 'SIGKILL');
    const before = (await logs(made).catch(() => '')).length;
    const grown = async () => (await logs(made)).length - before;
    await expect.poll(grown, { timeout: 60_000 }).toBeGreaterThan(500);
    return (await logs(made)).trim().split('\n').map(Number);
  };
  const withReader = await kill('agent', 'containerd');
  expect(withReader).toEqual(withReader.map((_, index) => index + 1));
  // A reader that is killed takes with it what it had read and not written yet: one piece at most.
  const numbers = await kill('logs');
  const gaps = numbers.filter((number, index) => number !== (numbers[index - 1] ?? 0) + 1);
  expect(gaps.length).toBeLessThanOrEqual(1);
  await stop(made);
  expect(await ended(made)).toMatchObject({ exitCode: 5, reason: 'stopped', generation: 1 });
});

test('a command that Redis lost is carried out all the same', async () => {
  process.kill(pidOf('agent'), 'SIGSTOP');
  const made = await sh('echo done').finally(async () => {
    await flushRedis();
    process.kill(pidOf('agent'), 'SIGCONT');
  });
  expect(await ended(made)).toMatchObject({ exitCode: 0 });
});
