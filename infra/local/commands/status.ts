import { readFileSync } from 'node:fs';
import { takeHold } from '../hold.ts';
import type { Instance } from '../instance.ts';
import { liveProcesses, readEndpoints } from '../records.ts';

/** Each process of the instance with its memory, and what `/v1/health` says. Exit code 1: not up. */
export async function status(instance: Instance): Promise<number> {
  const hold = await takeHold(instance);
  await hold?.release();
  if (hold !== null) {
    console.log('Slipway is not running: npm start');
    return 1;
  }
  const endpoints = readEndpoints(instance);
  const health = endpoints === null ? null : await healthOf(endpoints.api);
  console.log('process      pid      memory');
  for (const { name, pid } of liveProcesses(instance)) {
    console.log(`${name.padEnd(12)} ${String(pid).padEnd(8)} ${memoryOf(pid)}`);
  }
  if (health === null) {
    console.log('\nThe API does not answer (yet). See .slipway/logs/.');
    return 1;
  }
  console.log(`\n${endpoints?.api}/v1/health: ${health.status}`);
  for (const [part, state] of Object.entries(health.parts)) {
    console.log(`  ${state === 'up' ? '✔' : '✘'} ${part} ${state}`);
  }
  return health.status === 'ok' ? 0 : 1;
}

async function healthOf(
  api: string,
): Promise<{ status: string; parts: Record<string, string> } | null> {
  try {
    const answer = await fetch(`${api}/v1/health`, { signal: AbortSignal.timeout(10_000) });
    return (await answer.json()) as { status: string; parts: Record<string, string> };
  } catch {
    return null;
  }
}

/** what is resident, in MiB */
function memoryOf(pid: number): string {
  try {
    const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return `${Math.round(Number(kib) / 1024)} MiB`;
  } catch {
    return '';
  }
}
