import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

const ANSWERED_WITHIN_MS = 120_000;

/** `GET <url>` of a service. `*.localhost` is this machine, though only browsers and curl resolve it so. */
export async function ask(
  url: string,
): Promise<{ status: number; headers: IncomingMessage['headers']; body: string }> {
  const { host, port, pathname, search } = new URL(url);
  const request = get({
    ...{ host: '127.0.0.1', port, path: `${pathname}${search}`, headers: { host } },
    agent: false,
  });
  const signal = AbortSignal.timeout(ANSWERED_WITHIN_MS);
  const [answer] = (await once(request, 'response', { signal })) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
}
