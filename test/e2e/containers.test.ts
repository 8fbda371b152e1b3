import { expect, test } from 'vitest';
import { containersIn } from '../fixtures/containers.ts';
import { freshImage } from '../fixtures/fresh-image.ts';
import { flushRedis, pidOf, platform } from '../fixtures/platform.ts';

/* Containers as a tenant has them: through the generated client, on a running platform. */

const { create, sh, get, wait, ended, logs, start, stop, remove, untilItSays } = containersIn(
  platform(),
);

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
  const many = await sh('for i in 1 2 3 4 5 6; do sleep 1 & done; wait', { pids: 3 });
  expect(await ended(hungry)).toMatchObject({ exitCode: 137, reason: 'oom-killed' });
  await ended(seen);
  expect((await logs(seen)).trim()).toBe(String(memoryBytes));
  await ended(many);
  expect(await logs(many)).toContain("can't fork");
});

test('a program cannot gain privileges, see the node’s processes, or change its kernel', async () => {
  const made = await sh(`ps | wc -l
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
  expect((await remove(made, 'false')).response.status).toBe(409);
  await stop(made);
  expect(await ended(made)).toMatchObject({ exitCode: 7, reason: 'stopped' });
  expect(await logs(made)).toBe('ready\nbye\n');
});

test('a program that does not listen is ended when its time is up, or at once by a forced removal', async () => {
  const deaf = 'trap "" TERM; echo ready; while :; do sleep 0.1; done';
  const [stopped, removed] = await Promise.all([sh(deaf), sh(deaf)]);
  await untilItSays(stopped, 'ready');
  await untilItSays(removed, 'ready');
  await stop(stopped);
  await stop(removed);
  await remove(removed);
  await wait(removed, 'removed');
  expect(await get(stopped)).toMatchObject({ state: 'stopping' });
  expect(await ended(stopped)).toMatchObject({ exitCode: 137, reason: 'stopped' });
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

test('one that is not started has its files, and can be started', async () => {
  const made = await sh('echo begun', { start: false });
  expect(await wait(made, 'created', 0)).toMatchObject({ generation: 0, startedAt: null });
  await start(made);
  expect(await ended(made)).toMatchObject({ exitCode: 0 });
});

test('an image that was deleted before the node had it fails the run, and says so', async () => {
  const deleteImage = await freshImage(platform(), 'deleted');
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
