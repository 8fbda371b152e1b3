import { existsSync, readdirSync } from 'node:fs';
import { exec } from '@slipway/process';
import type { Toolbox } from '../packages/index.ts';

/**
 * Removes an instance's bridges with what is plugged into them, and its nftables table. (Its network
 * namespaces are mounts below its run folder: no other program's list has them.)
 * @returns how many things that were
 */
export async function removeNetwork(id: string, tools: Toolbox): Promise<number> {
  let count = 0;
  for (const bridge of namesIn('/sys/class/net', `sl${id}-`)) {
    // a veth's name says nothing of whose it is; its bridge does
    for (const port of namesIn(`/sys/class/net/${bridge}/brif`, '')) {
      await exec(tools.fileOf('ip'), ['link', 'delete', port], { allowFailure: true });
    }
    await exec(tools.fileOf('ip'), ['link', 'delete', bridge]);
    count++;
  }
  const table = (await tables(tools)).find((name) => name === tableOf(id));
  if (table !== undefined) {
    await exec(tools.fileOf('nft'), ['delete', 'table', 'inet', table]);
    count++;
  }
  return count;
}

/** Of the instances that have a bridge or a table. */
export async function idsOfNetwork(tools: Toolbox): Promise<string[]> {
  const names = [...namesIn('/sys/class/net', 'sl'), ...(await tables(tools))];
  return names.flatMap((name) => /^(?:sl|slipway_)([0-9a-f]{6})(?:-|$)/.exec(name)?.[1] ?? []);
}

function tableOf(id: string): string {
  return `slipway_${id}`;
}

/** Names of those of the family `inet`; without the program nobody has made one. */
async function tables(tools: Toolbox): Promise<string[]> {
  if (!tools.has('nft')) return [];
  const listed = await exec(tools.fileOf('nft'), ['list', 'tables', 'inet']);
  return [...listed.stdout.matchAll(/^table inet (\S+)$/gm)].flatMap(([, name]) => name ?? []);
}

function namesIn(folder: string, prefix: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(prefix)) : [];
}
