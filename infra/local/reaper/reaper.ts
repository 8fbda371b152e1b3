import { existsSync, globSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { claimFileOf, claims } from '../claim.ts';
import { takeHold } from '../hold.ts';
import type { Instance } from '../instance.ts';
import type { Toolbox } from '../packages/index.ts';
import { endpointsFileOf, processesFileOf } from '../records.ts';
import { cgroupsOf, idsOfCgroups, removeCgroup } from './cgroups.ts';
import { unmountBelow } from './mounts.ts';
import { idsOfNetwork, removeNetwork } from './network.ts';
import { killProcesses } from './processes.ts';

const RUN_DIR = '/run/slipway';
const SHIM_SOCKETS = '/run/containerd/s/';

/**
 * Clears what an instance left outside of its data: processes, cgroup, mounts, network, sockets,
 * claim. The caller has its hold. Done twice, the second time does nothing.
 * @returns what was found, in words
 */
export async function reap(instance: Instance, tools: Toolbox): Promise<string[]> {
  const found: string[] = [];
  const note = (count: number, one: string, many = `${one}s`): void => {
    if (count > 0) found.push(`${count} ${count === 1 ? one : many}`);
  };
  note(await killProcesses(instance), 'process', 'processes');
  for (const name of cgroupsOf(instance)) {
    if (await removeCgroup(name)) found.push(`the cgroup ${name}`);
  }
  note((await unmountBelow(instance.stateDir)) + (await unmountBelow(instance.runDir)), 'mount');
  note(await removeNetwork(instance.id, tools), 'network object');
  removeShimSockets(instance);
  rmSync(instance.runDir, { recursive: true, force: true });
  rmSync(claimFileOf(instance), { force: true });
  return found;
}

/** containerd's shims listen in a folder that all instances share; each bundle says where. */
function removeShimSockets({ runDir }: Instance): void {
  const tasks = join(runDir, 'containerd', 'io.containerd.runtime.v2.task');
  for (const file of globSync(join(tasks, '*', '*', 'address'))) {
    const socket = readFileSync(file, 'utf8')
      .trim()
      .replace(/^unix:\/\//, '');
    if (socket.startsWith(SHIM_SOCKETS)) rmSync(socket, { force: true });
  }
}

/** The same for the instance whose checkout this is: also what its files say of a running one. */
export async function reapOwn(instance: Instance, tools: Toolbox): Promise<string[]> {
  const found = await reap(instance, tools);
  rmSync(endpointsFileOf(instance), { force: true });
  rmSync(processesFileOf(instance), { force: true });
  return found;
}

/** Clears after every other instance on this machine whose supervisor is gone; its data stays. */
export async function reapOthers(own: Instance, tools: Toolbox): Promise<string[]> {
  const found: string[] = [];
  for (const instance of await others(own, tools)) {
    const hold = await takeHold(instance);
    if (hold === null) continue;
    const left = await reap(instance, tools).finally(() => hold.release());
    found.push(...left.map((what) => `${what} of ${instance.checkout}`));
  }
  return found;
}

/** Those of which anything is left: a claim, a run folder, or (the claim's folder gone) a name in the kernel. */
async function others(own: Instance, tools: Toolbox): Promise<Instance[]> {
  const known = new Map(claims().map(({ id, checkout }) => [id, checkout]));
  const ids = [...idsIn(RUN_DIR), ...idsOfCgroups(), ...(await idsOfNetwork(tools))];
  return [...new Set(ids)]
    .filter((id) => id !== own.id)
    .map((id) => {
      const checkout = known.get(id) ?? `/nonexistent/${id}`;
      return { id, checkout, stateDir: join(checkout, '.slipway'), runDir: join(RUN_DIR, id) };
    });
}

function idsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => /^([0-9a-f]{6})(\.json)?$/.exec(name)?.[1] ?? []);
}
