import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { toolsForTests, waitFor } from '@slipway/infra';

/** Debian's `docker-registry` (CNCF Distribution), open to everybody, with its files in `folder`. */
export async function startDockerRegistry(
  folder: string,
): Promise<{ address: string } & AsyncDisposable> {
  const tools = await toolsForTests(['dockerRegistry']);
  const address = `127.0.0.1:${await freePort()}`;
  const settings = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'storage') } },
    http: { addr: address },
  };
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'config.yml');
  await writeFile(file, JSON.stringify(settings)); // which is YAML
  const logFile = join(folder, 'log');
  const log = await open(logFile, 'w');
  const server = spawn(tools.fileOf('dockerRegistry'), ['serve', file], {
    stdio: ['ignore', log.fd, log.fd],
  });
  const ended = once(server, 'exit');
  const end = async (): Promise<void> => {
    server.kill();
    await ended;
    await log.close();
  };
  try {
    await waitFor('docker-registry', async () => (await fetch(`http://${address}/v2/`)).ok, {
      timeoutMs: 60_000,
      giveUp: () => (server.exitCode === null ? null : readFileSync(logFile, 'utf8')),
    });
  } catch (error) {
    await end();
    throw error;
  }
  return { address, [Symbol.asyncDispose]: end };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
