import type { Socket } from 'node:net';

/** Carries bytes both ways. One side's end is told to the other; when one is gone, the other goes too. */
export function tunnel(client: Socket, container: Socket): void {
  carry(client, container);
  carry(container, client);
}

function carry(from: Socket, to: Socket): void {
  from.on('error', () => {}); // it closes then
  from.on('close', () => to.destroySoon()); // once it has what came before
  from.pipe(to);
}

/** The head of a 101, as it is written to a client. */
export function switchingHead(headers: readonly string[], protocol: string): string {
  const all = [...headers, 'Connection', 'Upgrade', 'Upgrade', protocol];
  let head = 'HTTP/1.1 101 Switching Protocols\r\n';
  for (let index = 0; index < all.length; index += 2)
    head += `${all[index]}: ${all[index + 1]}\r\n`;
  return `${head}\r\n`;
}
