import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const REQUESTS = 2_500;
const WARM_UP = 500;
const EVERY_MS = 4;

/**
 * In ms, of requests that are sent at their times, whether or not the earlier ones are answered.
 * @param address `<ip>:<port>`, @param host what it is asked for
 */
export async function p99(address: string, host: string): Promise<number> {
  const { hostname, port } = new URL(`http://${address}`);
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const request = () =>
    new Promise<void>((done, fail) => {
      const to = { host: hostname, port, agent, headers: { host } };
      get(to, (answer) => answer.resume().on('end', done)).on('error', fail);
    });
  for (let warm = 0; warm < WARM_UP; warm++) await request();
  const taken: Promise<number>[] = [];
  const begin = performance.now();
  for (let sent = 0; sent < REQUESTS; sent++) {
    const due = begin + sent * EVERY_MS;
    await delay(Math.max(0, due - performance.now()));
    taken.push(request().then(() => performance.now() - due));
  }
  const all = (await Promise.all(taken)).toSorted((a, b) => a - b);
  agent.destroy();
  return all[Math.floor(all.length * 0.99)] ?? Number.NaN;
}
