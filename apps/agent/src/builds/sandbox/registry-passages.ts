import { globSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { connect, isIP } from 'node:net';
import { join } from 'node:path';
import type { Logger } from '@slipway/log';
import { allOver, exec } from '@slipway/process';
import { listenInside } from '../../network/listen-inside.ts';
import { makeNamespace, removeNamespace } from '../../network/namespace.ts';

const LOOPBACK = '127.0.0.1';
const PREFIX = 'builds-';

interface Passage {
  /** file of the network namespace */
  namespace: string;
  server: Server;
}

/**
 * The one way out of a sandbox: a network namespace in which the registry answers at its usual
 * address, and nothing else does. This process listens there and passes on what comes. No two
 * sandboxes share one: what runs in the one could listen to the other.
 */
export class RegistryPassages {
  readonly registry: URL;
  /** text of an /etc/hosts by which the registry's name leads there */
  readonly hosts: string;
  readonly #namespacesDir: string;
  readonly #log: Logger;
  readonly #host: string;
  /** what it is inside */
  readonly #address: string;
  #made = 0;
  readonly #free: Passage[] = [];

  private constructor(registryUrl: string, namespacesDir: string, log: Logger) {
    this.registry = new URL(registryUrl);
    this.#host = this.registry.hostname.replace(/^\[|\]$/g, '');
    const isName = isIP(this.#host) === 0;
    this.#address = isName ? LOOPBACK : this.#host;
    this.hosts = `${LOOPBACK} localhost\n${isName ? `${LOOPBACK} ${this.#host}\n` : ''}`;
    this.#namespacesDir = namespacesDir;
    this.#log = log;
  }

  /** What an earlier process has left in `namespacesDir` goes. */
  static async begin(
    registryUrl: string,
    namespacesDir: string,
    log: Logger,
  ): Promise<RegistryPassages> {
    const left = globSync(join(namespacesDir, `${PREFIX}*`));
    await allOver(left.map((file) => removeNamespace(file)));
    return new RegistryPassages(registryUrl, namespacesDir, log);
  }

  /** @param work gets the file of a namespace that is its own until it is over */
  async use<T>(work: (namespace: string) => Promise<T>): Promise<T> {
    const passage = this.#free.pop() ?? (await this.#make());
    try {
      return await work(passage.namespace);
    } finally {
      this.#free.push(passage);
    }
  }

  /** When nobody uses any. */
  async close(): Promise<void> {
    const passages = this.#free.splice(0);
    for (const { server } of passages) server.close();
    await allOver(passages.map(({ namespace }) => removeNamespace(namespace)));
  }

  async #make(): Promise<Passage> {
    this.#made++;
    const namespace = join(this.#namespacesDir, `${PREFIX}${this.#made}`);
    await makeNamespace(namespace);
    if (this.#address !== LOOPBACK) {
      const inside = [`--net=${namespace}`, 'ip', 'address', 'replace', this.#address, 'dev', 'lo'];
      await exec('nsenter', inside);
    }
    const port = Number(this.registry.port || (this.registry.protocol === 'http:' ? 80 : 443));
    const server = await listenInside(namespace, this.#address, port);
    server.on('connection', (from: Socket) => pass(from, connect(port, this.#host), this.#log));
    return { namespace, server };
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
