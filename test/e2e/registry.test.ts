import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { otherProject, platform } from '../fixtures/platform.ts';
import { randomImage } from '../fixtures/random-image.ts';
import { registryTools } from '../fixtures/registry-tools.ts';

/* The registry as the tools that people have speak to it. */

let folder: string;
let tools: Awaited<ReturnType<typeof registryTools>>;
beforeAll(async () => {
  tools = await registryTools(platform().registry, platform().token);
  folder = await mkdtemp(join(tmpdir(), 'slipway-clients-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** All files of an image in a folder. */
async function contentOf(dir: string): Promise<Map<string, Buffer>> {
  const files = await readdir(dir);
  const contents = files.map(async (file) => [file, await readFile(join(dir, file))] as const);
  return new Map(await Promise.all(contents));
}

test('an image of twenty layers comes back as it was pushed, byte for byte', async () => {
  const { at, copy, skopeo, keys } = tools;
  const pushed = join(folder, 'pushed');
  const pulled = join(folder, 'pulled');
  const beside = join(folder, 'beside');
  await randomImage(pushed, { count: 20, bytes: 300_000 });
  await copy(`dir:${pushed}`, at('local/default/twenty'));
  await copy(at('local/default/twenty'), `dir:${pulled}`);
  expect(await contentOf(pulled)).toEqual(await contentOf(pushed));
  // into this form skopeo takes six layers at a time
  await copy(at('local/default/twenty'), `oci:${beside}:twenty`);
  const manifest = await readFile(join(pushed, 'manifest.json'), 'utf8');
  expect(await skopeo('inspect', '--raw', `oci:${beside}:twenty`)).toBe(manifest);
  expect(await skopeo('inspect', '--raw', ...keys, at('local/default/twenty'))).toBe(manifest);
});

test('buildah pulls layers side by side, and pushes them side by side to somebody else', async () => {
  const { token } = await otherProject('registry-elsewhere');
  const elsewhere = await registryTools(platform().registry, token);
  const image = join(folder, 'layers');
  await randomImage(image, { count: 20, bytes: 100_000 });
  await tools.copy(`dir:${image}`, tools.at('local/default/layers'));
  const name = `${platform().registry}/local/default/layers`;
  await tools.buildah(folder, 'pull', '--quiet', ...tools.keys, name);
  const target = elsewhere.at('registry-elsewhere/web/layers');
  await tools.buildah(folder, 'push', '--quiet', ...elsewhere.keys, name, target);
  const configOf = async ({ skopeo, keys, at }: typeof tools, where: string) =>
    JSON.parse(await skopeo('inspect', '--config', ...keys, at(where)));
  const { rootfs } = await configOf(tools, 'local/default/layers');
  expect(rootfs.diff_ids).toHaveLength(20);
  expect(await configOf(elsewhere, 'registry-elsewhere/web/layers')).toMatchObject({ rootfs });
  for (const [asker, where] of [
    [elsewhere, 'local/default/layers'],
    [tools, 'registry-elsewhere/web/layers'],
  ] as const) {
    const asked = asker.copy(asker.at(where), `dir:${join(folder, 'stolen')}`);
    await expect(asked).rejects.toThrow('There is no repository');
  }
});

test('skopeo takes a base image out, and puts it in as an image of the project’s own', async () => {
  const { at, copy, skopeo, keys } = tools;
  const local = `dir:${join(folder, 'busybox')}`;
  await copy(at('library/busybox'), local);
  await copy(local, at('local/default/skopeo/busybox:mine'));
  const inspected = await skopeo('inspect', ...keys, at('local/default/skopeo/busybox:mine'));
  expect(JSON.parse(inspected)).toMatchObject({ RepoTags: ['mine'], Os: 'linux' });
  const listed = skopeo('list-tags', ...keys, at('nobody/default/busybox'));
  await expect(listed).rejects.toThrow('404 (Not Found)');
});

test('buildah builds on a base image, runs programs of it, and pushes the result', async () => {
  const { at, buildah, skopeo, keys } = tools;
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
  const isolation = ['--isolation', 'oci', '--runtime', 'runc', '--network', 'none'];
  await buildah(folder, 'bud', ...isolation, ...keys, '--tag', 'app', context);
  await buildah(folder, 'push', ...keys, 'app', at('local/default/buildah/app:v1'));
  const inspected = await skopeo(
    'inspect',
    '--config',
    ...keys,
    at('local/default/buildah/app:v1'),
  );
  expect(JSON.parse(inspected)).toMatchObject({ config: { Cmd: ['node', '-v'], User: 'node' } });
});
