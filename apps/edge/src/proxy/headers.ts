import type { IncomingMessage } from 'node:http';
import { peerOf } from '../access-log.ts';

/* Flat lists of names and values in turns, as they came: what is repeated stays so, in its order. */

/** Of one connection, not of the message: RFC 9110, 7.6.1. */
const HOP_BY_HOP = new Set([
  ...['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'proxy-authentication-info'],
]);

/** Whatever a `Connection` names, without these a message would be another one. */
const NEVER_NAMED = new Set(['host', 'content-length']);

/** A request's headers as its container gets them. @param authority what its Host header says */
export function headersForward(request: IncomingMessage, authority: string): string[] {
  const peer = peerOf(request.socket);
  const node = peer.includes(':') ? `"[${peer}]"` : peer;
  return [
    ...endToEnd(request.rawHeaders, (name) => name !== 'expect' && !saysWhoAsked(name)),
    ...['x-forwarded-for', peer],
    ...['x-forwarded-proto', 'http'],
    ...['x-forwarded-host', authority],
    ...['forwarded', `for=${node};host="${authority}";proto=http`],
  ];
}

/** A container's headers as the client gets them. */
export function headersBack(rawHeaders: readonly string[], status: number): string[] {
  const isLeft = (name: string): boolean =>
    name !== 'slipway-served' && !(status === 204 && name === 'content-length');
  return [...endToEnd(rawHeaders, isLeft), 'Slipway-Served', 'hot'];
}

/** What only a proxy may say. Many servers take `X_Forwarded_For` for `X-Forwarded-For`. */
function saysWhoAsked(name: string): boolean {
  const plain = name.replaceAll('_', '-');
  return plain === 'forwarded' || plain === 'x-real-ip' || plain.startsWith('x-forwarded-');
}

function endToEnd(rawHeaders: readonly string[], isLeft: (name: string) => boolean): string[] {
  const named = namedByConnection(rawHeaders);
  const left: string[] = [];
  for (const [name, value] of pairs(rawHeaders)) {
    const lower = name.toLowerCase();
    if (!HOP_BY_HOP.has(lower) && !named.has(lower) && isLeft(lower)) left.push(name, value);
  }
  return left;
}

function namedByConnection(rawHeaders: readonly string[]): Set<string> {
  const named = new Set<string>();
  for (const [name, value] of pairs(rawHeaders)) {
    if (name.toLowerCase() !== 'connection') continue;
    for (const token of value.toLowerCase().split(',')) named.add(token.trim());
  }
  for (const name of NEVER_NAMED) named.delete(name);
  return named;
}

function* pairs(rawHeaders: readonly string[]): Generator<[string, string]> {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    yield [rawHeaders[index] ?? '', rawHeaders[index + 1] ?? ''];
  }
}
