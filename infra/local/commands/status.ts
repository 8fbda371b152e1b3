import { textOf } from '../files.ts';
import { takeHold } from '../hold.ts';
import type { Instance } from '../instance.ts';
import { liveProcesses, type RunningProcess, readEndpoints, readStates } from '../records.ts';

/** Of /proc/PID/stat; the kernel tells programs this whatever it counts by itself. */
const TICKS_PER_SECOND = 100;

/** Each part with its process, and what `/v1/health` says. Exit code 1: not everything is up. */
export async function status(instance: Instance): Promise<number> {
  const hold = await takeHold(instance);
  await hold?.release();
  if (hold !== null) {
    console.log('Slipway is not running: npm start');
    return 1;
  }
  printParts(instance);
  const endpoints = readEndpoints(instance);
  if (endpoints === null) {
    console.log(
      '\nIt is being started or stopped: .slipway/logs/supervisor.log says how far it is.',
    );
    return 1;
  }
  const { api, edge, registry, sampleUrl } = endpoints;
  const health = await healthOf(api);
  console.log(`\nAPI        ${api}/v1   ${health}`);
  console.log(`edge       ${edge}`);
  console.log(`registry   ${registry}`);
  if (sampleUrl !== undefined) console.log(`sample     ${sampleUrl}`);
  return health === 'ok' ? 0 : 1;
}

function printParts(instance: Instance): void {
  const processes = new Map(liveProcesses(instance).map((found) => [found.name, found]));
  const states = { supervisor: 'up', ...readStates(instance) };
  const row = (...cells: string[]): void =>
    console.log(
      cells
        .map((cell) => cell.padEnd(12))
        .join('')
        .trimEnd(),
    );
  row('part', 'state', 'pid', 'memory', 'up for');
  for (const [name, state] of Object.entries(states)) {
    const found = processes.get(name);
    if (found !== undefined && state === 'up')
      row(name, state, String(found.pid), memoryOf(found), ageOf(found));
    else row(name, state, `see .slipway/logs/${name}.log`);
  }
}

/** `ok`, or what is wrong in words. */
async function healthOf(api: string): Promise<string> {
  try {
    const answer = await fetch(`${api}/v1/health`, { signal: AbortSignal.timeout(10_000) });
    const health = (await answer.json()) as { status: string; parts: Record<string, string> };
    const down = Object.entries(health.parts).filter(([, state]) => state !== 'up');
    return [health.status, ...down.map(([part, state]) => `${part} ${state}`)].join(', ');
  } catch {
    return 'does not answer';
  }
}

/** what is resident */
function memoryOf({ pid }: RunningProcess): string {
  const kib = /^VmRSS:\s+(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1];
  return kib === undefined ? '' : `${Math.round(Number(kib) / 1024)} MiB`;
}

function ageOf({ startTime }: RunningProcess): string {
  const seconds = Math.floor(
    Number.parseFloat(textOf('/proc/uptime')) - Number(startTime) / TICKS_PER_SECOND,
  );
  const [days, hours, minutes] = [86_400, 3600, 60].map((unit) => Math.floor(seconds / unit));
  if (days) return `${days} d ${(hours ?? 0) % 24} h`;
  if (hours) return `${hours} h ${(minutes ?? 0) % 60} min`;
  return minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
