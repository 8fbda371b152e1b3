import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { toolsForTests } from '@slipway/infra';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { platform } from '../fixtures/platform.ts';

/* The registry as the tools that people have speak to it. */

const run = promisify(execFile);

let folder: string;
let skopeo: string;
let buildah: string;
beforeAll(async () => {
  const tools = await toolsForTests(['skopeo', 'buildah', 'runc']);
  skopeo = tools.fileOf('skopeo');
  buildah = tools.fileOf('buildah');
  folder = await mkdtemp(join(tmpdir(), 'slipway-clients-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const credentials = (): string => `anyone:${platform().token}`;
const at = (name: string): string => `docker://${platform().registry}/${name}`;

async function copy(from: string, to: string): Promise<void> {
  const tls = ['--src-tls-verify=false', '--dest-tls-verify=false'];
  const keys = ['--src-creds', credentials(), '--dest-creds', credentials()];
  await run(skopeo, ['copy', '--quiet', '--insecure-policy', ...tls, ...keys, from, to]);
}

test('skopeo takes a base image out, and puts it in as an image of the project’s own', async () => {
  const local = `dir:${join(folder, 'busybox')}`;
  await copy(at('library/busybox'), local);
  await copy(local, at('local/default/skopeo/busybox:mine'));
  const keys = ['--tls-verify=false', '--creds', credentials()];
  const inspected = await run(skopeo, [
    'inspect',
    ...keys,
    at('local/default/skopeo/busybox:mine'),
  ]);
  expect(JSON.parse(inspected.stdout)).toMatchObject({ RepoTags: ['mine'], Os: 'linux' });
  const listed = run(skopeo, ['list-tags', ...keys, at('nobody/default/busybox')]);
  await expect(listed).rejects.toThrow('404 (Not Found)');
});

test('buildah builds on a base image, runs programs of it, and pushes the result', async () => {
  const context = join(folder, 'context');
  await mkdir(context);
  const { registry } = platform();
  const dockerfile = `FROM ${registry}/library/node
RUN node -p '"node " + process.versions.node' > /version && ls -l /version
USER node
RUN whoami > /tmp/user && wget --help 2>&1 | head -1
CMD ["node", "-v"]
`;
  await writeFile(join(context, 'Dockerfile'), dockerfile);
  const storage = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run')];
  const driver = ['--storage-driver', 'vfs']; // leaves no mount behind
  const keys = ['--tls-verify=false', '--creds', credentials()];
  const buildahRun = (...args: string[]) =>
    run(buildah, [...storage, ...driver, ...args], { maxBuffer: 64 * 1024 * 1024 });
  const isolation = ['--isolation', 'oci', '--runtime', 'runc', '--network', 'none'];
  await buildahRun('bud', ...isolation, ...keys, '--tag', 'app', context);
  await buildahRun('push', ...keys, 'app', at('local/default/buildah/app:v1'));
  const inspected = await run(skopeo, [
    ...['inspect', '--config', ...keys],
    at('local/default/buildah/app:v1'),
  ]);
  expect(JSON.parse(inspected.stdout)).toMatchObject({
    config: { Cmd: ['node', '-v'], User: 'node' },
  });
});
