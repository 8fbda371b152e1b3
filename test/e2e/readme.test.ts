import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolsForTests } from '@slipway/infra';
import { exec } from '@slipway/process';
import { expect, inject, onTestFinished, test } from 'vitest';

/* The README's commands as they stand there, pasted into one shell, one after the other. */

/** Under each of its paragraphs: lines that a person is shown, in this order. */
const SHOWN: Record<string, RegExp[]> = {
  '`.slipway/endpoints.json` has the addresses': [/"slug":"local"/],
  '**Run a container**': [/"exited"/, /^hello$/, /^\S+Z hello$/, /"exited".*"generation":2/],
  '**Stop it, restart it': [/"running"/, /UTC/, /"exited"/],
  '**Have it run again**': [/^another/, /^another/, /^another/, /^another/, /"exited"/],
  'The containers of a project reach each other': [/"exited"/, /^127\.0\.0\.1\s+localhost/],
  '**Make another project**': [/"slug":"shop"/, /"image":"busybox"/],
  '**Sign up**': [
    /"role":"owner"/,
    /"image":"busybox"/,
    /"email":"ada@example\.com"/,
    /"isCurrent":true/,
  ],
  '**Work together.**': [/"image":"busybox"/, /"role":"viewer"/],
  '**Make a key**': [/"token":"slp_/, /"nextCursor"/, /"name":"pipeline"/],
  '**See who did what**': [/"succeeded".*"ada@example\.com".*"pipeline"/, /"revokeApiKey"/],
  '**Know that nobody has changed it.**': [
    ...[/^ok +ada: \d+ records/, /^All \d+ logs are what/, /heads\.json/],
    ...[/^ok +local: \d+ records/, /^All \d+ logs are what/],
  ],
  '**Limit what may be had**': [
    ...[/"containers":{"limit":20,/, /"containers":{"limit":2,"used":2}/, /"quota-exceeded"/],
    ...[/"containers":{"limit":null,/, /"containers":{"limit":20,/],
  ],
  '**See what was used**': [/"projects":\[{"project":"default","cpuSeconds":/, /"intervals":\[{/],
  '**Build an image**': [/RUN echo built/, /^pushed /, /"succeeded"/, /^built$/],
  '**Build with more than a Dockerfile**': [/"queued"/, /^data: .*"7\\n"/, /^event: end/],
  '**Give an image a URL.**': [/"succeeded"/, /"succeeded"/, /^HTTP\S+ 200/, /^Hello from/],
  '**Change a service.**': [/"succeeded"/, /^HTTP\S+ 200/, /^Good evening from/],
  '**Go back.**': [/rev_.*rev_/, /"succeeded"/, /^HTTP\S+ 200/, /^Hello from/],
  '**Restart a service**': [/"succeeded"/, /^HTTP\S+ 200/, /^Hello from/],
  '**See why a deploy failed.**': [/"failed".*nothing\.js/, /^HTTP\S+ 200/, /^Hello from/],
  '**Push and pull images**': [/"mine"/, /"image":"tools\/busybox:mine"/],
  '**See what happened**': [
    ...[/^Hello from/, /"run began"/, /"run ended"/, /"edge".*"request"/],
    ...[/^slipway_containers/, /^slipway_agent_runs_ended/],
  ],
};
const MARK = '✂';

test('every command of the README does what it says', async () => {
  await toolsForTests(['skopeo']); // apt asks for its index when it is missing
  const folder = await mkdtemp(join(tmpdir(), 'slipway-readme-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const blocks = await read();
  const file = join(folder, 'pasted.sh');
  const marked = blocks.map(({ script }) => `${script}\nprintf '\n${MARK}\n'`);
  await writeFile(file, ['exec 2>&1', ...marked].join('\n').replaceAll('/tmp/', `${folder}/`));
  const options = { cwd: inject('checkoutFolder'), allowFailure: true };
  const { code, stdout } = await exec('bash', ['-e', '-o', 'pipefail', file], options);

  const shown = stdout.split(`\n${MARK}\n`);
  expect(code, shown.at(-1)).toBe(0);
  expect(blocks.map(({ about }) => about)).toEqual(
    Object.keys(SHOWN).map((beginning) => expect.stringContaining(beginning)),
  );
  for (const [n, [about, wanted]] of Object.entries(SHOWN).entries()) {
    const lines = (shown[n] ?? '').split('\n');
    const missing = wanted.find((line) => !skipTo(lines, line));
    expect(missing, `${about}\n${shown[n]}`).toBeUndefined();
  }
});

/** Takes lines away up to the first that is such a one. */
function skipTo(lines: string[], wanted: RegExp): boolean {
  const at = lines.findIndex((line) => wanted.test(line));
  lines.splice(0, at + 1);
  return at !== -1;
}

interface Block {
  /** the paragraph before it */
  about: string;
  script: string;
}

async function read(): Promise<Block[]> {
  const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8');
  const use = readme.slice(readme.indexOf('\n## Use it\n'));
  const found = use.matchAll(/((?:.+\n)+)\n```sh\n([\s\S]*?)\n```/g);
  return [...found].map(([, about = '', script = '']) => ({ about, script }));
}
