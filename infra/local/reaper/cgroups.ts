import { existsSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { textOf } from '../files.ts';
import type { Instance } from '../instance.ts';
import { signal, startTimeOf } from '../process.ts';
import { waitFor } from '../wait.ts';

const ROOT = '/sys/fs/cgroup';

/** Below the root of each hierarchy. Its containers' are in it; those of its builds in one beside it. */
export function cgroupOf({ id }: Pick<Instance, 'id'>): string {
  return `slipway-${id}`;
}

/** What the agent names after it. */
export function cgroupsOf(instance: Pick<Instance, 'id'>): string[] {
  const name = cgroupOf(instance);
  return [name, `${name}-builds`];
}

/** Of the instances that have one. */
export function idsOfCgroups(): string[] {
  return hierarchies()
    .flatMap((hierarchy) => readdirSync(hierarchy))
    .flatMap((name) => /^slipway-([0-9a-f]{6})(?:-builds)?$/.exec(name)?.[1] ?? []);
}

/** Asks each container in the cgroup `name` to end; returns when all have, or after `graceMs`. */
export async function stopContainers(name: string, graceMs: number): Promise<void> {
  const tops = topsOf(name);
  const inits = new Set(tops.flatMap(processesBelow).filter(isInit));
  for (const top of tops) thawBelow(top);
  for (const pid of inits) signal(pid, 'SIGTERM');
  const deadline = performance.now() + graceMs;
  while ([...inits].some(isInit) && performance.now() < deadline) await delay(20);
}

/** The first process of a PID namespace of its own: the others end with it. */
function isInit(pid: number): boolean {
  return /^NSpid:(\s+\d+)+\s+1$/m.test(textOf(`/proc/${pid}/status`)) && startTimeOf(pid) !== null;
}

/** Ends whatever is in the cgroup `name` of every hierarchy (v2, v1, both) and removes it. @returns whether there was one */
export async function removeCgroup(name: string): Promise<boolean> {
  const tops = topsOf(name);
  if (tops.length === 0) return false;
  await waitFor(
    `the removal of the cgroup ${name}`,
    () => {
      for (const top of tops) thawBelow(top);
      for (const pid of tops.flatMap(processesBelow)) signal(pid, 'SIGKILL');
      for (const top of tops) removeBelow(top);
      return tops.some((top) => existsSync(top)) ? null : true;
    },
    { timeoutMs: 60_000, everyMs: 20 },
  );
  return true;
}

function topsOf(name: string): string[] {
  return hierarchies()
    .map((hierarchy) => join(hierarchy, name))
    .filter((path) => existsSync(path));
}

function hierarchies(): string[] {
  if (!existsSync(ROOT)) return [];
  const mounted = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(ROOT, entry.name))
    .filter((path) => existsSync(join(path, 'cgroup.procs')));
  return [ROOT, ...mounted];
}

/** A frozen process takes no signal before it is thawed. */
function thawBelow(path: string): void {
  for (const child of childrenOf(path)) thawBelow(child);
  tryWrite(join(path, 'freezer.state'), 'THAWED');
  tryWrite(join(path, 'cgroup.freeze'), '0');
}

function processesBelow(path: string): number[] {
  const own = textOf(join(path, 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
  return [...childrenOf(path).flatMap(processesBelow), ...own];
}

function removeBelow(path: string): void {
  for (const child of childrenOf(path)) removeBelow(child);
  try {
    rmdirSync(path);
  } catch {
    // a process in it is still ending
  }
}

function childrenOf(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(path, entry.name));
  } catch {
    return [];
  }
}

function tryWrite(file: string, text: string): void {
  if (!existsSync(file)) return;
  try {
    writeFileSync(file, text);
  } catch {
    // removed meanwhile
  }
}
