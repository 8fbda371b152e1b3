import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { waitFor } from '@slipway/infra';

/** A server to be compared with. */
export interface Peer extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  address: string;
}

interface Program {
  name: string;
  file: string;
  args: readonly string[];
  /** what it has; gone with it */
  folder: string;
  address: string;
  /** answers once it is up */
  path: string;
}

/** Runs it until it is disposed of. */
export async function startPeer({
  name,
  file,
  args,
  folder,
  address,
  path,
}: Program): Promise<Peer> {
  mkdirSync(folder, { recursive: true });
  const logFile = join(folder, 'log');
  const log = openSync(logFile, 'w');
  const server = spawn(file, args, { stdio: ['ignore', log, log] });
  const ended = once(server, 'exit');
  const end = async (): Promise<void> => {
    server.kill();
    await ended;
    await rm(folder, { recursive: true });
  };
  try {
    await waitFor(name, async () => (await fetch(`http://${address}${path}`)).ok || null, {
      timeoutMs: 60_000,
      giveUp: () => (server.exitCode === null ? null : readFileSync(logFile, 'utf8')),
    });
  } catch (error) {
    await end();
    throw error;
  }
  return { address, [Symbol.asyncDispose]: end };
}

export async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `127.0.0.1:${port}`;
}
