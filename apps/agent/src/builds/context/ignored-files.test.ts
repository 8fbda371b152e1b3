import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeIgnored } from './ignored-files.ts';

let folder: string;
let context: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-ignored-'));
  context = join(folder, 'context');
  await mkdir(context);
});
afterEach(() => rm(folder, { recursive: true }));

/** @param files text by path; those that end in a slash are empty folders */
async function fill(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const at = join(context, path);
    await mkdir(path.endsWith('/') ? at : dirname(at), { recursive: true });
    if (!path.endsWith('/')) await writeFile(at, text);
  }
}

const left = async (at = context): Promise<string[]> =>
  (await readdir(at, { recursive: true })).toSorted();

const refused = (message: RegExp) => ({
  reason: 'context-unusable',
  message: expect.stringMatching(message),
});

test('without an ignore file all stays', async () => {
  await fill({ Dockerfile: 'FROM a', 'a/b': '' });
  await removeIgnored(context, 'Dockerfile');
  expect(await left()).toEqual(['Dockerfile', 'a', 'a/b']);
});

test('what is ignored goes, with folders that nothing is left in; what an exception brings back stays, with its folders', async () => {
  await fill({
    '.dockerignore': 'modules\nlogs/*.log\n!**/keep\nempty',
    'modules/a/b/c': '',
    'modules/a/keep': '',
    'modules/b/c/d': '',
    'logs/a.log': '',
    'empty/': '',
    'other/': '',
    'src/modules/a': '',
  });
  await removeIgnored(context, 'Dockerfile');
  expect(await left()).toEqual(
    ['.dockerignore', 'logs', 'modules', 'modules/a', 'modules/a/keep', 'other', 'src']
      .concat('src/modules', 'src/modules/a')
      .toSorted(),
  );
});

test('the Dockerfile and the ignore file may be ignored themselves', async () => {
  await fill({ Dockerfile: 'FROM a', '.dockerignore': '*\n!a', a: '', b: '' });
  await removeIgnored(context, 'Dockerfile');
  expect(await left()).toEqual(['a']);
});

test('a Dockerfile’s own ignore file is taken, and then no other', async () => {
  const files = { '.dockerignore': 'a', 'deploy/Dockerfile': '', a: '', b: '' };
  await fill({ ...files, 'deploy/Dockerfile.dockerignore': 'b\ndeploy' });
  await removeIgnored(context, 'deploy/Dockerfile');
  expect(await left()).toEqual(['.dockerignore', 'a']);
  await fill({ ...files, 'Dockerfile.dockerignore': '' });
  await removeIgnored(context, 'deploy/Dockerfile');
  expect(await left()).not.toContain('a');
  await fill(files);
  await removeIgnored(context, 'Dockerfile');
  expect(await left()).toContain('a');
});

test('links are removed or kept, never followed', async () => {
  await mkdir(join(folder, 'outside/in'), { recursive: true });
  await writeFile(join(folder, 'outside/in/a'), '');
  await fill({ '.dockerignore': '**/a\nignored\n!ignored/in/b', 'target/in/x': '' });
  for (const [name, to] of [
    ['ignored', '../outside'],
    ['kept', join(folder, 'outside')],
    ['inside', 'target'],
    ['a', '../outside/in/a'],
    ['target/a', 'x'],
    ['up', '..'],
  ] as const) {
    await symlink(to, join(context, name));
  }
  await removeIgnored(context, 'Dockerfile');
  expect((await readdir(context)).toSorted()).toEqual(
    ['.dockerignore', 'inside', 'kept', 'target', 'up'].toSorted(),
  );
  expect(await readdir(join(context, 'target'))).toEqual(['in']);
  expect(await left(join(folder, 'outside'))).toEqual(['in', 'in/a']);
});

test('an ignore file is a file of the context, also by a link, but not by one that leads out', async () => {
  await fill({ 'settings/ignore': 'a', a: '', b: '' });
  await symlink('settings/ignore', join(context, '.dockerignore'));
  await removeIgnored(context, 'Dockerfile');
  expect(await left()).toEqual(['.dockerignore', 'b', 'settings', 'settings/ignore']);

  await writeFile(join(folder, 'outside'), 'b');
  for (const to of [
    '../outside',
    join(folder, 'outside'),
    'nowhere',
    '/nowhere',
    '.dockerignore',
  ]) {
    await rm(join(context, '.dockerignore'));
    await symlink(to, join(context, '.dockerignore'));
    await expect(removeIgnored(context, 'Dockerfile'), to).rejects.toMatchObject(
      refused(/^The context has no "\.dockerignore" that lies in it\.$/),
    );
  }
  expect(await left()).toContain('b');
});

test('an ignore file that cannot be used ends the build: it is not as if there were none', async () => {
  const cases: [text: string | null, message: RegExp][] = [
    [null, /no "\.dockerignore" that is a file\.$/],
    ['a\n'.repeat(40_000), /no "\.dockerignore" of at most 64 KiB\.$/],
    ['a\n\n[a', /^\.dockerignore, line 3: "\[a" is no pattern: its "\[" is not closed\.$/],
  ];
  for (const [text, message] of cases) {
    await rm(join(context, '.dockerignore'), { recursive: true, force: true });
    await fill(text === null ? { '.dockerignore/a': '' } : { '.dockerignore': text });
    await expect(removeIgnored(context, 'Dockerfile')).rejects.toMatchObject(refused(message));
  }
});

test('names that are no UTF-8 are removed and kept', async () => {
  const bytes = (name: string): Buffer => Buffer.from(`${context}/${name}`, 'latin1');
  await fill({ '.dockerignore': 'x*\n**/b?\n!x?/keep' });
  for (const name of ['x\xff', 'y\xff']) {
    await mkdir(bytes(name));
    for (const file of ['a\xfe', 'b\xfe', 'keep']) await writeFile(bytes(`${name}/${file}`), '');
  }
  await removeIgnored(context, 'Dockerfile');
  const names = async (at: string): Promise<string[]> =>
    (await readdir(bytes(at), 'buffer')).map((name) => name.toString('latin1')).toSorted();
  expect(await names('')).toEqual(['.dockerignore', 'x\xff', 'y\xff']);
  expect(await names('x\xff')).toEqual(['keep']);
  expect(await names('y\xff')).toEqual(['a\xfe', 'keep']);
});

test('a path that is too long for the node ends the build', async () => {
  const deep = Array(15).fill('a'.repeat(200)).join('/');
  await fill({ '.dockerignore': '**/x', [`${deep}/`]: '' });
  // below each other by way of a link, as tar can be led to do
  await symlink(deep, join(context, 'link'));
  const below = join(context, 'link', deep);
  await mkdir(below, { recursive: true });
  try {
    await expect(removeIgnored(context, 'Dockerfile')).rejects.toMatchObject(
      refused(/^The context has a path that is too long\.$/),
    );
  } finally {
    await rm(join(context, 'link', 'a'.repeat(200)), { recursive: true });
  }
});
