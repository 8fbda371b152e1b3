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
  if (!tools.has('nft')) return count; // then nothing made a table
  const table = `inet slipway_${id}`;
  const listed = await exec(tools.fileOf('nft'), ['list', 'tables']);
  if (listed.stdout.split('\n').includes(`table ${table}`)) {
    await exec(tools.fileOf('nft'), ['delete', 'table', ...table.split(' ')]);
    count++;
  }
  return count;
}

function namesIn(folder: string, prefix: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(prefix)) : [];
}
