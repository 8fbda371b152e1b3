import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toolsForTests } from '@slipway/infra';
import { freeAddress, type Peer, startPeer } from './peer.ts';

/** Debian's `docker-registry` (CNCF Distribution), open to everybody, with its files in `folder`. */
export async function startDockerRegistry(folder: string): Promise<Peer> {
  const tools = await toolsForTests(['dockerRegistry']);
  const address = await freeAddress();
  const settings = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'storage') } },
    http: { addr: address },
  };
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'config.yml');
  await writeFile(file, JSON.stringify(settings)); // which is YAML
  return startPeer({
    ...{ name: 'docker-registry', folder, address, path: '/v2/' },
    ...{ file: tools.fileOf('dockerRegistry'), args: ['serve', file] },
  });
}
