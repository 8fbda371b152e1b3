import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { createConnection } from 'node:net';
import type { Probe } from '@slipway/contracts';

const WITHIN_MS = 1_000;

/** Asks once whether a container can be sent requests. @returns null, or what is in the way, for people */
export async function unreadiness(address: string, { port, path }: Probe): Promise<string | null> {
  return path === null ? connects(address, port) : answers(address, port, path);
}

async function connects(host: string, port: number): Promise<string | null> {
  const socket = createConnection({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(WITHIN_MS) });
    return null;
  } catch {
    return `Nothing listens on port ${port}, or only on 127.0.0.1.`;
  } finally {
    socket.destroy();
  }
}

async function answers(host: string, port: number, path: string): Promise<string | null> {
  const what = `GET ${path} on port ${port}`;
  const headers = { 'user-agent': 'slipway-probe' };
  const request = get({ host, port, path, headers, agent: false });
  request.on('error', () => {}); // also after its end
  try {
    const signal = AbortSignal.timeout(WITHIN_MS);
    const [answer] = (await once(request, 'response', { signal })) as [IncomingMessage];
    const { statusCode = 0 } = answer;
    const isReady = statusCode >= 200 && statusCode < 400;
    return isReady ? null : `${what} is answered with status ${statusCode}.`;
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'AbortError';
    return isLate ? `${what} is not answered within ${WITHIN_MS} ms.` : `${what} is not answered.`;
  } finally {
    request.destroy();
  }
}
