import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Address } from '@slipway/contracts';
import type { Logger } from '@slipway/log';
import { Repeater, Turns } from '@slipway/process';
import { bridgesWith, ensureBridge, removeIfUnused } from './bridge.ts';
import { plugIn } from './cni.ts';
import { loadFirewall } from './firewall.ts';
import { type Endpoint, Names } from './names.ts';
import { makeNamespace, removeNamespace } from './namespace.ts';
import { Resolver } from './resolver.ts';

const INTERFACE = 'eth0';
const TEND_EVERY_MS = 15_000;

export interface NetworkSettings {
  /** one file for each namespace; whoever starts containers must see what is mounted there */
  namespacesDir: string;
  /** bridges are named by it and their subnet's index; at most 12 characters */
  bridgePrefix: string;
  /** of nftables, in the family `inet` */
  table: string;
  pluginsDir: string;
}

/**
 * The networks of this node's containers: a bridge for each subnet, a namespace for each run. Who is
 * in one subnet reaches each other, also by name; nobody reaches the node but its resolver, another
 * subnet, or the outside.
 */
export class NodeNetwork {
  readonly #settings: NetworkSettings;
  readonly #log: Logger;
  /** what is done with one bridge is done one after the other */
  readonly #turns = new Turns();
  /** bridges that are whole, and the subnets that they are of */
  readonly #bridges = new Map<string, string>();
  readonly #tending = new Repeater(() => this.#tend());
  readonly #names = new Names();
  readonly #resolver: Resolver;

  private constructor(settings: NetworkSettings, log: Logger) {
    this.#settings = settings;
    this.#log = log;
    this.#resolver = new Resolver(this.#names, log);
  }

  /**
   * Resolves when the rules are in force: no container may run without them.
   * @param attached by an earlier process, and still
   */
  static async begin(
    settings: NetworkSettings,
    log: Logger,
    attached: readonly Endpoint[] = [],
  ): Promise<NodeNetwork> {
    mkdirSync(settings.namespacesDir, { recursive: true });
    await loadFirewall(settings.table, settings.bridgePrefix);
    const network = new NodeNetwork(settings, log);
    for (const endpoint of attached) network.#names.add(endpoint);
    const gateways = new Set(attached.map(({ gateway }) => gateway));
    await Promise.all([...gateways].map((gateway) => network.#resolver.open(gateway)));
    network.#tending.soon();
    return network;
  }

  async close(): Promise<void> {
    await this.#tending.close();
    await this.#resolver.closeAll();
  }

  /** The file of a container's namespace. */
  namespaceOf(engineId: string): string {
    return join(this.#settings.namespacesDir, engineId);
  }

  /** A new namespace, which leads nowhere yet; what an earlier run left of one goes. */
  async open(engineId: string): Promise<void> {
    await this.detach(engineId);
    await makeNamespace(this.namespaceOf(engineId));
  }

  /**
   * Gives the namespace an interface with this address.
   * @param address `names`: by which its neighbours find it
   */
  async attach(engineId: string, address: Address & Pick<Endpoint, 'names'>): Promise<void> {
    const { bridgePrefix, pluginsDir } = this.#settings;
    const file = this.namespaceOf(engineId);
    const name = `${bridgePrefix}${address.index}`;
    await this.#turns.take(name, async () => {
      await this.#ensureBridge(name, address);
      const namespace = { containerId: engineId, file, interfaceName: INTERFACE };
      await plugIn(namespace, { name, address }, pluginsDir);
      await this.#resolver.open(address.gateway);
    });
    this.#names.add({ engineId, ...address });
  }

  /** With its namespace. Nothing when it is detached already. */
  async detach(engineId: string): Promise<void> {
    this.#names.remove(engineId);
    await removeNamespace(this.namespaceOf(engineId), INTERFACE);
  }

  /** Puts back rules that somebody flushed, answers on all bridges, and removes those that nobody needs any more. */
  async #tend(): Promise<number> {
    const { bridgePrefix, table } = this.#settings;
    try {
      await loadFirewall(table, bridgePrefix);
      const present = await bridgesWith(bridgePrefix);
      for (const name of this.#bridges.keys()) {
        if (!present.some((bridge) => bridge.name === name)) this.#bridges.delete(name);
      }
      for (const { name, gateway } of present) {
        await this.#turns.take(name, async () => {
          const isGone = await removeIfUnused(name);
          if (isGone) this.#bridges.delete(name);
          if (gateway === null) return;
          await (isGone ? this.#resolver.close(gateway) : this.#resolver.open(gateway));
        });
      }
    } catch (error) {
      this.#log.error({ err: error }, 'the network cannot be tended');
    }
    return TEND_EVERY_MS;
  }

  async #ensureBridge(name: string, address: Address): Promise<void> {
    if (this.#bridges.get(name) === address.subnetId) return;
    await ensureBridge(name, address);
    this.#bridges.set(name, address.subnetId);
  }
}
