import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { runScript } from './index.ts';

const WITHIN = { timeoutMs: 60_000 };

test('a script has its arguments as they are, whatever is in them, and its output comes back', async () => {
  const args = ["it's", '$(exit 1) "quoted" \\', '', 'two\nlines', '-e'];
  const said = await runScript('printf "<%s>" "$@"; echo >&2 done', args, WITHIN);
  expect(said).toBe(`${args.map((arg) => `<${arg}>`).join('')}done`);
});

test('it ends at the first command that fails, with what that wrote', async () => {
  const failing = runScript('echo before; ls /no/such/file; echo after', [], WITHIN);
  await expect(failing).rejects.toThrow(/"echo before; .*" ended with 2: before\n.*no\/such\/file/);
  await expect(failing).rejects.not.toThrow(/\nafter/);
});

test('many run side by side, each with its own output and end', async () => {
  const numbers = Array.from({ length: 40 }, (_, number) => `${number}`);
  const script = 'sleep 0.01; echo "$1"; exit $(($1 % 2))';
  const ends = await Promise.allSettled(
    numbers.map((number) => runScript(script, [number], WITHIN)),
  );
  for (const [number, end] of ends.entries()) {
    if (end.status === 'fulfilled') expect(end.value).toBe(`${number}`);
    else expect(`${end.reason}`).toContain(`ended with 1: ${number}`);
    expect(end.status).toBe(number % 2 === 0 ? 'fulfilled' : 'rejected');
  }
});

test('one that takes too long is ended with what it runs, and the next one runs', async () => {
  const mark = `86400.${process.pid}`;
  await expect(runScript('sleep "$1" & wait', [mark], { timeoutMs: 200 })).rejects.toThrow(
    'the shell ended in the middle of it',
  );
  expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain(`sleep ${mark}`);
  expect(await runScript('echo next', [], WITHIN)).toBe('next');
});

test('no shell keeps its process from ending, or outlives it', async () => {
  const module = new URL('./index.ts', import.meta.url).href;
  const code = `import { runScript } from ${JSON.stringify(module)};
    console.log(await runScript('echo $$', [], { timeoutMs: 60_000 }));`;
  const args = ['--input-type=module', '--eval', code];
  const shell = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 }).trim();
  await vi.waitFor(() => expect(existsSync(`/proc/${shell}`)).toBe(false), 60_000);
  expect(shell).toMatch(/^\d+$/);
});
