import type { Server, Socket } from 'node:net';
import { connect, isIP } from 'node:net';
import type { Logger } from '@slipway/log';
import { exec } from '@slipway/process';
import { listenInside } from '../../network/listen-inside.ts';
import { makeNamespace, removeNamespace } from '../../network/namespace.ts';

const LOOPBACK = '127.0.0.1';

/**
 * The one way out of a sandbox: a network namespace in which the registry answers at its usual
 * address, and nothing else does. This process listens there and passes on what comes.
 */
export class RegistryPassage {
  readonly registry: URL;
  /** file of the namespace */
  readonly namespace: string;
  /** text of an /etc/hosts by which the registry's name leads there */
  readonly hosts: string;
  readonly #server: Server;

  private constructor(registry: URL, namespace: string, hosts: string, server: Server) {
    this.registry = registry;
    this.namespace = namespace;
    this.hosts = hosts;
    this.#server = server;
  }

  /** @param namespace file to be made; an earlier process may have left it */
  static async begin(
    registryUrl: string,
    namespace: string,
    log: Logger,
  ): Promise<RegistryPassage> {
    const registry = new URL(registryUrl);
    const host = registry.hostname.replace(/^\[|\]$/g, '');
    const port = Number(registry.port || (registry.protocol === 'http:' ? 80 : 443));
    await removeNamespace(namespace);
    await makeNamespace(namespace);
    let address = LOOPBACK;
    let hosts = `${LOOPBACK} localhost\n`;
    if (isIP(host) === 0) hosts += `${LOOPBACK} ${host}\n`;
    else {
      address = host;
      const inside = [`--net=${namespace}`, 'ip', 'address', 'replace', host, 'dev', 'lo'];
      await exec('nsenter', inside);
    }
    const server = await listenInside(namespace, address, port);
    server.on('connection', (from: Socket) => pass(from, connect(port, host), log));
    return new RegistryPassage(registry, namespace, hosts, server);
  }

  close(): void {
    this.#server.close();
  }
}

/** A registry that is away resets the connection, as it would without us. */
function pass(from: Socket, to: Socket, log: Logger): void {
  from.on('error', () => to.destroy());
  to.on('error', (error) => {
    log.warn({ err: error }, 'a build does not reach the registry');
    from.resetAndDestroy();
  });
  from.pipe(to).pipe(from);
}
