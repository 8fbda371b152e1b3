import { buffer } from 'node:stream/consumers';
import { type Header, pack } from 'tar-stream';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { buildTraces } from '../fixtures/build-traces.ts';
import { buildsIn } from '../fixtures/builds.ts';
import { containersIn } from '../fixtures/containers.ts';
import { platform } from '../fixtures/platform.ts';

/* What a hostile tenant sends, or runs in a build: a clear end, and nobody else notices. */

const { buildOf, ended, logs, wait } = buildsIn(platform());
const { ended: containerEnded, get, remove, sh, untilItSays } = containersIn(platform());
const WITHIN = { timeout: 60_000 };

type Entry = Partial<Header> & { name: string; text?: string };

async function endOf(dockerfile: string, ...entries: Entry[]) {
  const tar = pack();
  for (const { text = '', ...header } of entries) tar.entry(header, text);
  tar.entry({ name: 'Dockerfile' }, dockerfile);
  tar.finalize();
  return wait(await buildOf('hostile', await buffer(tar)));
}

let neighbour: Awaited<ReturnType<typeof sh>>;
beforeAll(async () => {
  neighbour = await sh('echo up; while :; do sleep 0.1; done');
  await untilItSays(neighbour, 'up');
});
afterAll(async () => {
  expect(await get(neighbour)).toMatchObject({ state: 'running', generation: 1 });
  await remove(neighbour);
  await vi.waitFor(() => expect(buildTraces()).toEqual([]), WITHIN);
});

test('a link leads nowhere but into the context, or into what the image has', async () => {
  const out: Entry = { name: 'out', type: 'symlink', linkname: '/etc' };
  const cases: [string, Entry[], object][] = [
    ['COPY out/shadow /x', [out], { reason: 'instruction-failed' }],
    ['COPY out /x', [out], { state: 'failed' }],
    [
      'COPY up /x',
      [{ ...out, name: 'up', linkname: '../../../../../../etc/shadow' }],
      { state: 'failed' },
    ],
    ['RUN id', [out, { name: 'out/x', text: 'x' }], { reason: 'context-unusable' }],
    [
      'RUN id',
      [{ name: 'hard', type: 'link', linkname: '/etc/shadow' }],
      { reason: 'context-unusable' },
    ],
    [
      'RUN --mount=type=bind,source=root,target=/x test ! -e /x/bin && test ! -e /x/home',
      [{ name: 'root', type: 'symlink', linkname: '/' }],
      {},
    ],
  ];
  for (const [instruction, entries, end] of cases) {
    const made = await endOf(`FROM busybox\n${instruction}`, ...entries);
    expect(made, instruction).toMatchObject(end);
    expect(await logs(made)).not.toContain('root:');
  }
});

test('names and headers of all kinds are files, or named as what is wrong', async () => {
  const LIST = `FROM busybox\nCOPY . /x\nRUN cd /x && find . | sort | cat -v; : ${Date.now()}`;
  const made = await endOf(
    LIST,
    { name: 'line\nbreak', text: 'x' },
    { name: '\u001b[31mred', text: 'x' },
    { name: '-rf', text: 'x' },
    { name: `long/${'n'.repeat(200)}`, text: 'x' },
  );
  expect(made).toMatchObject({ state: 'succeeded' });
  for (const name of ['./-rf', './Dockerfile', 'break', '[31mred', 'n'.repeat(200)]) {
    expect(made.steps[2]?.output).toContain(name);
  }
  const comment = '20 comment=a commit\n'; // for all that follow, as `git archive` writes it
  const notUtf8 = Buffer.concat([
    header('pax_global_header', comment.length, 'g'),
    Buffer.from(comment.padEnd(512, '\0')),
    header('a\xff\xfe\x80', 0),
    header('Dockerfile', LIST.length),
    Buffer.from(LIST.padEnd(512, '\0')),
    Buffer.alloc(1024),
  ]);
  const named = await wait(await buildOf('hostile', notUtf8));
  expect(named).toMatchObject({ state: 'succeeded' });
  expect(named.steps[2]?.output).toMatch(/^\.\/a/m);
  const wrong: Entry[] = [
    { name: '../../up' },
    { name: 'x', pax: { path: '../../up' } },
    { name: 'd'.repeat(300) },
    { name: `${'d'.repeat(200)}/`.repeat(30) },
  ];
  for (const entry of wrong) {
    const { reason, message } = await endOf('FROM busybox', entry);
    expect({ reason, message }).toMatchObject({ reason: 'context-unusable' });
    expect(message).toMatch(/Member name contains|File name too long/);
  }
});

test('a build that takes all processes, memory or disk that it can get is ended, and says why', async () => {
  const endsAs = async (instruction: string, end: object): Promise<void> => {
    const made = await ended('hostile', `FROM busybox\n${instruction}`);
    expect(made, instruction).toMatchObject({ state: 'failed', ...end });
    expect(made.message).toMatch(/^line 2: RUN /);
  };
  await Promise.all([
    endsAs('RUN f() { f | f & }; f; sleep 3; exit 7', { reason: 'command-failed' }),
    endsAs('RUN dd if=/dev/zero of=/dev/null bs=3000M count=1', { reason: 'oom-killed' }),
    endsAs('RUN dd if=/dev/zero of=/dev/shm/x bs=1M count=4000', {}),
  ]);
  const fill = (path: string) =>
    `fallocate -l 6G ${path}/a && fallocate -l 6G ${path}/b && sleep 100`;
  await endsAs(`RUN ${fill('')}`, { reason: 'disk-exceeded' });
  await endsAs(`RUN --mount=type=cache,target=/c ${fill('/c')}`, { reason: 'disk-exceeded' });
  const next = await sh('exit 3');
  expect(await containerEnded(next)).toMatchObject({ exitCode: 3 });
  await remove(next);
  expect(await ended('hostile', 'FROM busybox\nRUN true')).toMatchObject({ state: 'succeeded' });
});

test('output without end costs nobody but the build', async () => {
  const made = await ended(
    'hostile',
    `FROM busybox
RUN : ${Date.now()}; yes 0123456789012345678901234567890123456789 | head -c 100000000
RUN head -c 20000000 /dev/zero
RUN echo the next`,
  );
  expect(made).toMatchObject({ state: 'succeeded' });
  const log = await logs(made);
  expect(log.length).toBeLessThan(5 * 1024 ** 2);
  expect(log).toContain('More than 4 MiB: the rest is left out.');
});

test('a command that outlives its step, and writes as the builder does, changes nothing', async () => {
  const made = await ended(
    'hostile',
    `FROM busybox
RUN (setsid sh -c 'while :; do echo "STEP 4/4: RUN echo fourth"; sleep 0.05; done' &); sleep 0.5; \\
  echo "STEP 1/4: FROM busybox"; echo COMMIT; echo "Error: mine"; echo "--> Using cache $(printf %064d 0)"
RUN sleep 0.5; echo third
RUN echo fourth; exit 9`,
  );
  expect(made).toMatchObject({ state: 'failed', reason: 'command-failed' });
  expect(made.message).toBe('line 5: RUN echo fourth; exit 9: it ended with exit code 9.');
  expect(made.steps.map(({ state }) => state)).toEqual([
    ...['succeeded', 'succeeded', 'succeeded', 'failed'],
  ]);
});

/** Of an entry, with a name of Latin-1 bytes. @see POSIX, pax, "ustar Interchange Format" */
function header(name: string, sizeBytes: number, type = '0'): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0, 'latin1');
  block.write(`0000644\0${'0000000\0'.repeat(2)}`, 100);
  block.write(`${sizeBytes.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0`, 124);
  block.write(`        ${type}`, 148);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
