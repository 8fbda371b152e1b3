import { createSlipway } from '@slipway/client';
import { expect, test, vi } from 'vitest';
import { buildTraces } from '../fixtures/build-traces.ts';
import { buildsIn } from '../fixtures/builds.ts';
import { containersIn } from '../fixtures/containers.ts';
import { flushRedis, otherProject, pidOf, platform } from '../fixtures/platform.ts';

/* Builds as a tenant has them: through the generated client, on a running platform. */

const { build, buildWith, wait, ended, cancel, logs, follow } = buildsIn(platform());
const { create, ended: containerEnded, logs: containerLogs } = containersIn(platform());
const WITHIN = { timeout: 60_000 };
/** no earlier run of these tests has made it */
const SLOW = `FROM busybox
RUN echo begun; for i in 1 2 3 4 5 6; do sleep 0.5; echo $i; done; : ${Date.now()}`;

async function untilItSays(made: Awaited<ReturnType<typeof build>>, text: string): Promise<void> {
  await vi.waitFor(async () => expect(await logs(made)).toContain(text), WITHIN);
}

test('a Dockerfile becomes an image that runs; built again it is there at once', async () => {
  const files = {
    Dockerfile: `FROM busybox AS make
RUN mkdir /out && tr a-z A-Z < /etc/hostname > /out/made
FROM busybox
COPY --from=make /out/made /made
COPY greeting /greeting
CMD ["cat", "/greeting"]`,
    greeting: 'hello from the context\n',
  };
  const built = await wait(await build('tools/greeter', files));
  expect(built).toMatchObject({ state: 'succeeded', reason: 'completed', image: 'tools/greeter' });
  expect(built.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  const container = await create({ image: 'tools/greeter' });
  expect(container.imageDigest).toBe(built.digest);
  expect(await containerEnded(container)).toMatchObject({ exitCode: 0 });
  expect(await containerLogs(container)).toBe('hello from the context\n');
  const again = await wait(await build('tools/greeter', files));
  const cached = again.steps.filter((step) => step.cached).map(({ number }) => number);
  expect(cached).toEqual([2, 4, 5, 6]);
  expect(again.digest).toBe(built.digest);
});

test('a build takes secrets, caches, files and labels, and its image has only what it should', async () => {
  const files = {
    Dockerfile: `FROM busybox AS one
RUN echo of the first stage > /made
FROM busybox
ARG NUMBER
RUN --mount=type=cache,target=/cache echo $NUMBER >> /cache/seen; cat /cache/seen
RUN --mount=type=secret,id=token,required=true tr a-z A-Z < /run/secrets/token; echo
RUN --mount=type=bind,source=sub,target=/mnt --mount=from=one,type=bind,source=/made,target=/made \\
  cat /mnt/file /made && ! touch /mnt/file 2> /dev/null
COPY . /files
RUN find /files | sort
CMD cat /run/secrets/token /cache/seen /mnt/file`,
    '.dockerignore': '*\n!sub\nsub/other\n',
    ...{ 'sub/file': 'of the context\n', 'sub/other': '', other: '' },
  };
  const image = `mounts-${Date.now()}`;
  const options = { image, secrets: { token: 'hunter' }, labels: { 'com.example': 'a = b' } };
  for (const NUMBER of ['1', '2']) {
    const made = await buildWith({ ...options, args: { NUMBER }, noCache: true }, files);
    const built = await wait(made);
    expect(built).toMatchObject({ state: 'succeeded', labels: options.labels, noCache: true });
    const said = built.steps.map(({ output }) => output);
    expect(said[4]).toMatch(new RegExp(`^${NUMBER}$`, 'm'));
    if (NUMBER === '2') expect(said[4]).toMatch(/^1\n2$/m);
    expect(said[5]).toBe('HUNTER\n');
    expect(said[6]).toMatch(/^of the context\nof the first stage\n/);
    expect(said[8]).toBe('/files\n/files/sub\n/files/sub/file\n');
    expect(built.steps.some(({ cached }) => cached)).toBe(false);
  }
  const container = await create({ image });
  expect(await containerEnded(container)).toMatchObject({ exitCode: 1 });
  expect((await containerLogs(container)).match(/No such file/g)).toHaveLength(3);
  const without = await wait(await buildWith({ image }, files));
  expect(without).toMatchObject({ state: 'failed', reason: 'instruction-failed' });
  expect(without.message).toMatch(/^line 6: .*secret.*token/s);
});

test('the log is live, and has all that was written', async () => {
  const made = await build('slow', { Dockerfile: SLOW });
  let log = '';
  let sawItRun = false;
  for await (const text of follow(made)) {
    log += text;
    if (log.includes('begun\n') && !log.includes('\n6\n')) sawItRun = true;
  }
  expect(sawItRun).toBe(true);
  expect(log).toMatch(/^STEP 1\/2: FROM busybox\nSTEP 2\/2: RUN .*\nbegun\n1\n2\n3\n4\n5\n6\n/);
  expect((await wait(made)).steps[1]?.output).toBe('begun\n1\n2\n3\n4\n5\n6\n');
  expect(await logs(made)).toBe(log);
});

test('a build that fails names the line, and leaves nothing', async () => {
  const cases: [string, string, RegExp][] = [
    ['FROM busybox\n\nRUN echo "a"; exit 3', 'command-failed', /^line 3: RUN .* exit code 3/],
    ['FROM busybox\nCOPY nothing /x', 'instruction-failed', /^line 2: COPY .*"\/nothing"/],
    ['FROM nothing:v1', 'base-image-not-found', /^line 1: FROM nothing:v1: there is no such image/],
    ['FROM quay.io/a/b', 'dockerfile-invalid', /line 1/],
    ['FROM busybox\nFOO', 'dockerfile-invalid', /line 2/],
  ];
  const all = await Promise.all(cases.map(([dockerfile]) => ended('broken', dockerfile)));
  for (const [index, [dockerfile, reason, message]] of cases.entries()) {
    expect(all[index], dockerfile).toMatchObject({ state: 'failed', reason, digest: null });
    expect(all[index]?.message).toMatch(message);
    expect(all[index]?.message).not.toContain('.slipway');
  }
  await expect.poll(buildTraces, WITHIN).toEqual([]);
});

test('a command of a build reaches nobody', async () => {
  const { api, registry } = platform();
  const built = await ended(
    'alone',
    `FROM busybox
RUN ! wget -q -O- ${api}/v1/health && ! wget -q -O- http://${registry}/v2/ && ! nc -w 1 8.8.8.8 53 </dev/null
RUN test "$(ls /sys/class/net)" = lo && test "$(ps | wc -l)" -lt 6
RUN ! unshare -U true && ! unshare -n true && mknod /disk b 8 0 && ! head -c 1 /disk`,
  );
  expect(built).toMatchObject({ state: 'succeeded' });
});

test('an image of another organization is none, however it is named', async () => {
  const other = buildsIn(await otherProject('rival'));
  expect(await other.ended('secret', 'FROM busybox')).toMatchObject({ state: 'succeeded' });
  const none = { state: 'failed', reason: 'base-image-not-found' };
  for (const from of ['secret', 'rival/web/secret', 'web/secret']) {
    expect(await ended('mine', `FROM ${from}`)).toMatchObject(none);
    expect(await ended('mine', `FROM busybox\nCOPY --from=${from} / /`)).toMatchObject(none);
  }
  // its own: by each of its names
  expect(await other.ended('more', 'FROM rival/web/secret')).toMatchObject({ state: 'succeeded' });
  expect(await other.ended('more', 'FROM secret')).toMatchObject({ state: 'succeeded' });
});

test('an image that there is no room for is not pushed, and the build says so', async () => {
  const full = await otherProject('full');
  const slipway = createSlipway(full.api, { token: full.token });
  const { organization, project } = full;
  const limit = (imageBytes: number | null) =>
    slipway.PATCH('/v1/organizations/{organization}/projects/{project}/quotas', {
      ...{ params: { path: { organization, project } }, body: { imageBytes } },
    });
  const dockerfile = 'FROM busybox\nRUN head -c 4000000 /dev/urandom > /data';
  await limit(1_000_000);
  expect(await buildsIn(full).ended('big', dockerfile)).toMatchObject({
    ...{ state: 'failed', reason: 'quota-exceeded', digest: null },
    message: expect.stringMatching(/^The project may have 1000000 bytes of images, and has \d+; /),
  });
  const { data } = await limit(null);
  expect(data?.imageBytes.used).toBeLessThan(1_000_000);
  expect(await buildsIn(full).ended('big', dockerfile)).toMatchObject({ state: 'succeeded' });
});

test('a cancelled build ends at once, with all that it started', async () => {
  const made = await build('slow', { Dockerfile: SLOW.replace('0.5', '1000') });
  await untilItSays(made, 'begun');
  expect(buildTraces()).not.toEqual([]);
  await cancel(made);
  expect(await wait(made)).toMatchObject({
    ...{ state: 'cancelled', steps: [{ state: 'succeeded' }, { state: 'cancelled' }] },
  });
  await expect.poll(buildTraces, WITHIN).toEqual([]);
});

test('a build goes on when the API, and begins again when the agent is killed', async () => {
  const made = await build('slow', { Dockerfile: SLOW.replace('begun', 'begun with the API') });
  await untilItSays(made, 'begun with');
  process.kill(pidOf('api'), 'SIGKILL');
  const log = 'begun with the API\n1\n2\n3\n4\n5\n6\npushed';
  await vi.waitFor(async () => expect(await logs(made)).toContain(log), WITHIN);
  expect(await wait(made)).toMatchObject({ state: 'succeeded' });

  const second = await build('slow', { Dockerfile: SLOW.replace('begun', 'begun with the agent') });
  await untilItSays(second, 'begun with');
  process.kill(pidOf('agent'), 'SIGKILL');
  expect(await wait(second)).toMatchObject({ state: 'succeeded' });
  expect(await logs(second)).toContain('The node has ended: the build begins again.');
  await expect.poll(buildTraces, WITHIN).toEqual([]);
});

test('builds that Redis lost are made all the same', async () => {
  const running = await Promise.all(
    [1, 2].map((index) => build('slow', { Dockerfile: `${SLOW}; : ${index}` })),
  );
  for (const made of running) await untilItSays(made, 'begun');
  const waiting = await build('waiting', { Dockerfile: 'FROM busybox\nRUN true' });
  await flushRedis();
  expect(await wait(waiting)).toMatchObject({ state: 'succeeded' });
  for (const made of running) expect(await wait(made)).toMatchObject({ state: 'succeeded' });
});
