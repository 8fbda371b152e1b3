import { exec } from '@slipway/process';

/** Whatever a tenant has put there: Node's `rm` gives up at paths that are longer than PATH_MAX. */
export async function removeFolder(folder: string): Promise<void> {
  await exec('rm', ['-rf', '--', folder]);
}
