import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** A process of ours. @param start what it passes to `runUntilSignal` */
async function begun(start: string) {
  const file = JSON.stringify(join(import.meta.dirname, 'run.ts'));
  const program = `
    import { runUntilSignal } from ${file};
    setInterval(() => {}, 1000);
    runUntilSignal({ name: 'test', level: 'info' }, ${start});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code, output }));
  await once(child.stdout, 'data');
  return { child, ended };
}

test('a signal closes what has started, and the last lines of its log are written', async () => {
  const { child, ended } = await begun(`async (log) => {
    log.info('started');
    return { close: async () => log.info('closed') };
  }`);
  child.kill('SIGTERM');
  const { code, output } = await ended;
  expect(code).toBe(0);
  expect(output).toContain('"closed"');
});

test('what has not started yet is not waited for', async () => {
  const { child, ended } = await begun(`async (log) => {
    log.info('starting');
    await new Promise(() => {});
  }`);
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 0, output: expect.stringContaining('"stopping"') });
});
