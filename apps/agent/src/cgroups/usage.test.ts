import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { usageOf } from './usage.ts';

const WITHIN = { timeout: 30_000 };
const PATH = `/slipway-test-usage-${process.pid}`;
const HIERARCHIES = existsSync('/sys/fs/cgroup/memory')
  ? ['/sys/fs/cgroup/memory', '/sys/fs/cgroup/cpuacct']
  : ['/sys/fs/cgroup'];
const FOLDERS = HIERARCHIES.map((hierarchy) => hierarchy + PATH);

beforeEach(() => {
  for (const folder of FOLDERS) mkdirSync(folder);
});
afterEach(async () => {
  for (const folder of FOLDERS) await vi.waitFor(() => rmdirSync(folder), WITHIN);
});

test('says what runs in a cgroup, and that nothing does any more', async () => {
  expect(usageOf(PATH)).toMatchObject({ isOver: true });
  const script = 'read go; held=$(head -c 20000000 /dev/zero | tr "\\0" a); echo held; read end';
  const program = spawn('sh', ['-c', script]);
  const ended = once(program, 'exit');
  for (const folder of FOLDERS) writeFileSync(`${folder}/cgroup.procs`, String(program.pid));
  program.stdin.write('go\n');
  await once(program.stdout, 'data');
  const running = usageOf(PATH);
  expect(running).toMatchObject({ isOver: false });
  expect(running?.memoryBytes).toBeGreaterThan(20_000_000);
  expect(running?.cpuSeconds).toBeGreaterThan(0);
  program.kill('SIGKILL');
  await ended;
  await vi.waitFor(() => expect(usageOf(PATH)).toMatchObject({ isOver: true }), WITHIN);
  const over = usageOf(PATH);
  expect(over?.memoryBytes).toBeLessThan(10_000_000);
  expect(over?.peakMemoryBytes).toBeGreaterThan(20_000_000);
  expect(over?.cpuSeconds).toBeGreaterThanOrEqual(running?.cpuSeconds ?? Number.NaN);
});

test('says what runs in one below it, and keeps what that used when it is gone', async () => {
  const path = `${PATH}/below`;
  const below = HIERARCHIES.map((hierarchy) => hierarchy + path);
  enableBelow();
  for (const folder of below) mkdirSync(folder);
  const script = 'read go; i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; echo; read end';
  const program = spawn('sh', ['-c', script]);
  const ended = once(program, 'exit');
  for (const folder of below) writeFileSync(`${folder}/cgroup.procs`, String(program.pid));
  program.stdin.write('go\n');
  await once(program.stdout, 'data');
  const running = usageOf(PATH);
  expect(running).toMatchObject({ isOver: false });
  expect(running?.cpuSeconds).toBeGreaterThan(0);
  program.kill('SIGKILL');
  await ended;
  for (const folder of below) await vi.waitFor(() => rmdirSync(folder), WITHIN);
  expect(usageOf(PATH)).toMatchObject({ isOver: true });
  expect(usageOf(PATH)?.cpuSeconds).toBeGreaterThanOrEqual(running?.cpuSeconds ?? Number.NaN);
});

/** Cgroups v2 count by controller only where they are told to. */
function enableBelow(): void {
  if (HIERARCHIES.length > 1) return;
  writeFileSync(`${FOLDERS[0]}/cgroup.subtree_control`, '+memory +cpu');
}

test('says nothing of a cgroup that is not there', () => {
  expect(usageOf(`${PATH}-not`)).toBeNull();
});
