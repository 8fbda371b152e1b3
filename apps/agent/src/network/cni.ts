import type { Address } from '@slipway/contracts';
import { runScript } from '@slipway/process';
import { hardwareAddress } from './hardware-address.ts';
import { WITHIN } from './settings.ts';

/** Which of the plugins' configuration formats this is; every version since 0.8 knows it. */
const CNI_VERSION = '0.4.0';

const ADD = `export CNI_COMMAND=ADD CNI_CONTAINERID="$2" CNI_NETNS="$3" CNI_IFNAME="$4" CNI_PATH="$5"
printf %s "$1" | "$5/bridge"`;

/**
 * Plugs a namespace into a bridge. There is no counterpart: static addresses and a bridge of our own
 * leave nothing behind once the interface is deleted.
 * @see CNI spec, "Execution Protocol"; plugins `bridge` and `static`
 */
export async function plugIn(
  namespace: { containerId: string; file: string; interfaceName: string },
  bridge: { name: string; address: Address },
  pluginsDir: string,
): Promise<void> {
  const { address, gateway, prefixLength } = bridge.address;
  const configuration = {
    cniVersion: CNI_VERSION,
    name: bridge.name,
    type: 'bridge',
    bridge: bridge.name,
    runtimeConfig: { mac: hardwareAddress(address) },
    ipam: {
      type: 'static',
      addresses: [{ address: `${address}/${prefixLength}`, gateway }],
      routes: [{ dst: '0.0.0.0/0' }],
    },
  };
  const { containerId, file, interfaceName } = namespace;
  const args = [JSON.stringify(configuration), containerId, file, interfaceName, pluginsDir];
  await runScript(ADD, args, WITHIN);
}
