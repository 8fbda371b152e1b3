import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:net';

/**
 * Sends its listening socket to us and ends: one that kept it would take connections that nobody
 * answers.
 */
const LISTEN = `
const [host, port] = process.argv.slice(1);
const server = require('node:net').createServer();
server.listen({ host, port: Number(port) }, () =>
  process.send('listening', server, { keepOpen: false }, () => process.exit(0)));`;

/**
 * A server of this process that is reached in another network namespace.
 * @param namespace its file
 */
export async function listenInside(namespace: string, host: string, port: number): Promise<Server> {
  const command = [process.execPath, '--eval', LISTEN, host, String(port)];
  const child = spawn('nsenter', [`--net=${namespace}`, '--', ...command], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  let server: Server | null = null;
  child.on('message', (_, handle) => {
    server = handle as Server;
  });
  await once(child, 'close');
  if (server === null) throw new Error(`nobody can listen on ${host}:${port} inside: ${said}`);
  return server;
}
